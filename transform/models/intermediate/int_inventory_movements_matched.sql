{{ config(dist='product_id', sort=['moved_date']) }}

with

movements as (
    select * from {{ ref('stg_shop__inventory_movements') }}
),

products as (
    select * from {{ ref('int_products_deduplicated') }}
),

final as (
    select
        movements.product_id as listing_product_id,
        coalesce(products.surviving_product_id, {{ unknown_id() }}) as product_id,
        movements.warehouse_name,
        coalesce(movements.movement_reason, 'unknown') as movement_reason,
        movements.quantity,
        movements.occurrence,
        {{ business_date('movements.moved_at') }} as moved_date,
        movements.moved_at
    from movements
    left join products
        on movements.product_id = products.product_id
)

select * from final
