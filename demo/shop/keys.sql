-- What is cheaper to build once, after the rows, than to keep up to date while they arrive.
alter table shop.categories add foreign key (parent_category_id) references shop.categories;
alter table shop.products add foreign key (category_id) references shop.categories;
alter table shop.order_items add foreign key (order_id) references shop.orders;
alter table shop.order_items add foreign key (product_id) references shop.products;
alter table shop.payments add foreign key (order_id) references shop.orders;
alter table shop.refunds add foreign key (payment_id) references shop.payments;

-- Incremental extraction asks for rows above a bookmark.
create index on shop.customers (updated_at);
create index on shop.categories (updated_at);
create index on shop.products (updated_at);
create index on shop.orders (updated_at);
create index on shop.order_items (updated_at);
create index on shop.payments (updated_at);
create index on shop.refunds (updated_at);
create index on shop."StoreVisits" (updated_at);
create index on shop.payments (order_id);
