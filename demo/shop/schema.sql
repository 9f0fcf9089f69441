-- The shop: what a company's own order database looks like after some years, every wart on purpose.
-- Applied once by the generator into the empty database "shop"; keys.sql adds, after the rows, what is
-- cheaper to build then: foreign keys and indexes.
create schema shop;

create type shop.loyalty_tier as enum ('none', 'silver', 'gold');
create type shop.order_status as enum ('placed', 'paid', 'shipped', 'cancelled', 'returned');
create domain shop.sku as text check (value ~ '^[A-Za-z0-9 -]{3,24}$');

create table shop.customers (
    customer_id bigint primary key,      -- above 9000000000 accounts of testers
    external_id uuid not null,
    email text,                          -- mixed case, stray spaces, missing, doubled
    full_name text,
    phone text,
    country text,                        -- 'DE', 'de', 'Germany', ' Deutschland '
    birth_date date,                     -- some lie in the future
    loyalty_tier shop.loyalty_tier not null,
    is_newsletter boolean,
    preferences jsonb,                   -- null, 'null'::jsonb and documents are three things
    interests text[],
    created_at timestamptz not null,
    updated_at timestamptz not null
);

create table shop.addresses (            -- a day deletes from it: FULL_TABLE
    address_id bigint primary key,
    customer_id bigint not null,
    kind text not null,
    street text,
    city text,
    postal_code text,
    country text,
    is_default boolean not null,
    updated_at timestamptz not null
);

create table shop.categories (           -- a tree: department, category, subcategory
    category_id integer primary key,
    parent_category_id integer,
    name text not null,
    slug text not null,
    updated_at timestamptz not null
);

create table shop.products (
    product_id bigint primary key,
    category_id integer,
    sku shop.sku not null,               -- doubled in another case and spacing
    name text not null,
    unit_price numeric(12,2),
    weight_kg double precision,
    attributes jsonb,
    thumbnail bytea,
    is_active boolean not null,
    launched_on date,
    created_at timestamp not null,       -- naive: the old system wrote shop-local time (Europe/Berlin)
    updated_at timestamptz not null
);

create table shop.orders (
    order_id bigint primary key,
    order_uuid uuid not null,
    customer_id bigint,                  -- missing for guest orders
    status shop.order_status not null,
    channel text,                        -- 'web', 'Web ', 'STORE', null
    currency char(3) not null,
    ordered_at timestamptz not null,
    promised_on date,                    -- some years in the future
    shipping_note text,
    updated_at timestamptz not null
);

create table shop.order_items (          -- a composite key
    order_id bigint not null,
    line_number smallint not null,
    product_id bigint not null,
    quantity integer not null,           -- negative where a clerk booked a return as a line; 0 where one emptied it
    unit_price numeric(12,2) not null,
    discount_rate numeric(5,4) not null,
    updated_at timestamptz not null,
    primary key (order_id, line_number)
);

create table shop.payments (
    payment_id bigint primary key,
    order_id bigint not null,
    method text not null,                -- 'card', 'Card', 'paypal', 'invoice '
    status text not null,
    amount numeric(12,2) not null,
    paid_at timestamptz,
    updated_at timestamptz not null
);

create table shop.refunds (
    refund_id bigint primary key,
    payment_id bigint not null,
    amount numeric(12,2) not null,
    reason text,
    refunded_at timestamptz not null,
    updated_at timestamptz not null
);

create table shop.inventory_movements (  -- no key; whole rows can be equal; a day deletes from it: FULL_TABLE
    product_id bigint not null,
    warehouse text not null,
    quantity integer not null,
    reason text,
    moved_at timestamptz not null
);

create table shop."StoreVisits" (        -- capitals, a reserved word, a space
    "VisitId" bigint primary key,
    "Order" bigint,
    "Visited At" timestamp not null,
    "group" text,
    updated_at timestamptz not null
);

create view shop.active_products as
select product_id, sku, name, unit_price from shop.products where is_active;
