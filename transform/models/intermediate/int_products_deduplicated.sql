{{ config(dist='all', sort=['product_id']) }}

with

products as (
    select * from {{ ref('stg_shop__products') }}
),

ranked as (
    select
        product_id,
        min(product_id) over (partition by sku) as surviving_product_id,
        row_number() over (
            partition by sku
            order by updated_at desc, product_id desc
        ) as recency,
        count(*) over (partition by sku) as listing_count
    from products
),

final as (
    select
        product_id,
        surviving_product_id,
        product_id = surviving_product_id as is_survivor,
        recency = 1 as is_latest,
        listing_count
    from ranked
)

select * from final
