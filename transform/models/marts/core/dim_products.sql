{{ config(dist='all', sort=['product_id']) }}

with

products as (
    select * from {{ ref('stg_shop__products') }}
),

listings as (
    select * from {{ ref('int_products_deduplicated') }}
),

categories as (
    select * from {{ ref('stg_shop__categories') }}
),

-- An article keeps the number of its first listing and the values of the latest one.
articles as (
    select
        listings.surviving_product_id as product_id,
        latest.category_id,
        latest.sku,
        coalesce(latest.product_name, first_entry.product_name) as product_name,
        coalesce(latest.colour, first_entry.colour) as colour,
        coalesce(latest.unit_price, first_entry.unit_price) as list_price,
        coalesce(latest.weight_kg, first_entry.weight_kg) as weight_kg,
        latest.thumbnail_bytes,
        listings.listing_count,
        latest.is_active,
        latest.launched_date,
        first_entry.created_at,
        latest.updated_at
    from listings
    inner join products as latest
        on listings.product_id = latest.product_id
    inner join products as first_entry
        on listings.surviving_product_id = first_entry.product_id
    where listings.is_latest
),

categorised as (
    select
        articles.product_id,
        coalesce(categories.category_id, {{ unknown_id() }}) as category_id,
        articles.sku,
        articles.product_name,
        articles.colour,
        articles.list_price,
        articles.weight_kg,
        articles.thumbnail_bytes,
        articles.listing_count,
        articles.is_active,
        articles.launched_date,
        articles.created_at,
        articles.updated_at
    from articles
    left join categories
        on articles.category_id = categories.category_id
),

with_unknown as (
    select * from categorised
    union all
    select
        {{ unknown_id() }} as product_id,
        {{ unknown_id() }} as category_id,
        'UNKNOWN' as sku,
        'Unknown' as product_name,
        null as colour,
        null as list_price,
        null as weight_kg,
        null as thumbnail_bytes,
        0 as listing_count,
        false as is_active,
        null as launched_date,
        null as created_at,
        null as updated_at
),

final as (
    select
        cast(product_id as bigint) as product_id,
        cast(category_id as integer) as category_id,
        sku,
        product_name,
        colour,
        cast(list_price as numeric(12, 2)) as list_price,
        cast(weight_kg as double precision) as weight_kg,
        cast(thumbnail_bytes as bigint) as thumbnail_bytes,
        cast(listing_count as integer) as listing_count,
        cast(is_active as boolean) as is_active,
        product_id = {{ unknown_id() }} as is_unknown,
        cast(launched_date as date) as launched_date,
        cast(created_at as timestamptz) as created_at,
        cast(updated_at as timestamptz) as updated_at
    from with_unknown
)

select * from final
