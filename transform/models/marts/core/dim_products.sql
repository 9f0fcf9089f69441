{{ config(dist='all', sort=['product_id']) }}

with

products as (
    select * from {{ ref('stg_shop__products') }}
),

listings as (
    select * from {{ ref('int_products_deduplicated') }}
),

versions as (
    select * from {{ ref('int_products_versioned') }}
),

categories as (
    select * from {{ ref('stg_shop__categories') }}
),

-- An article keeps the number of its first listing, which also fills the gaps of a version.
articles as (
    select
        versions.product_key,
        versions.product_id,
        coalesce(categories.category_id, {{ unknown_id() }}) as category_id,
        versions.sku,
        coalesce(versions.product_name, first_entry.product_name) as product_name,
        coalesce(versions.colour, first_entry.colour) as colour,
        coalesce(versions.unit_price, first_entry.unit_price) as list_price,
        coalesce(versions.weight_kg, first_entry.weight_kg) as weight_kg,
        versions.thumbnail_bytes,
        listings.listing_count,
        versions.is_active,
        versions.is_current,
        versions.launched_date,
        versions.valid_from,
        versions.valid_to,
        first_entry.created_at,
        versions.updated_at
    from versions
    inner join listings
        on versions.product_id = listings.product_id
    inner join products as first_entry
        on versions.product_id = first_entry.product_id
    left join categories
        on versions.category_id = categories.category_id
),

with_unknown as (
    select * from articles
    union all
    select
        {{ unknown_id() }} as product_key,
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
        true as is_current,
        null as launched_date,
        {{ first_instant() }} as valid_from,
        {{ last_instant() }} as valid_to,
        null as created_at,
        null as updated_at
),

final as (
    select
        cast(product_key as bigint) as product_key,
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
        cast(is_current as boolean) as is_current,
        product_id = {{ unknown_id() }} as is_unknown,
        cast(valid_from as timestamptz) as valid_from,
        cast(valid_to as timestamptz) as valid_to,
        cast(launched_date as date) as launched_date,
        cast(created_at as timestamptz) as created_at,
        cast(updated_at as timestamptz) as updated_at
    from with_unknown
)

select * from final
