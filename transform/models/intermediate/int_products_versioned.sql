{{ config(dist='all', sort=['product_id', 'valid_from']) }}

{% set values_of_a_listing = [
    'category_id', 'sku', 'product_name', 'colour', 'unit_price', 'weight_kg', 'thumbnail_bytes',
    'is_active', 'launched_date',
] %}

with

products as (
    select * from {{ ref('stg_shop__products') }}
),

history as (
    select * from {{ ref('snap_shop__products') }}
),

listings as (
    select * from {{ ref('int_products_deduplicated') }}
),

-- The listing as it is now is read from its source: a correction that moved no clock counts too.
states as (
    select
        product_id,
        {{ values_of_a_listing | join(', ') }},
        updated_at
    from products
    union all
    select
        history.product_id,
        history.{{ values_of_a_listing | join(', history.') }},
        history.updated_at
    from history
    inner join products
        on
            history.product_id = products.product_id
            and history.updated_at < products.updated_at
),

-- An article has the values of the listing that changed last.
ranked as (
    select
        listings.surviving_product_id,
        states.*,
        row_number() over (
            partition by listings.surviving_product_id, states.updated_at
            order by states.product_id desc
        ) as preference
    from states
    inner join listings
        on states.product_id = listings.product_id
),

numbered as (
    select
        surviving_product_id as product_id,
        {{ values_of_a_listing | join(', ') }},
        updated_at,
        row_number() over (
            partition by surviving_product_id order by updated_at
        ) as version_number,
        lead(updated_at) over (
            partition by surviving_product_id order by updated_at
        ) as next_updated_at
    from ranked
    where preference = 1
),

final as (
    select
        {{ version_key('product_id', 'version_number') }} as product_key,
        product_id,
        {{ values_of_a_listing | join(', ') }},
        updated_at,
        next_updated_at is null as is_current,
        case when version_number = 1 then {{ first_instant() }} else updated_at end as valid_from,
        coalesce(next_updated_at, {{ last_instant() }}) as valid_to
    from numbered
)

select * from final
