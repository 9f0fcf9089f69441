{{ config(dist='product_id', sort=['moved_date_key']) }}

with

movements as (
    select * from {{ ref('int_inventory_movements_matched') }}
),

final as (
    select
        cast(listing_product_id as bigint) as listing_product_id,
        cast(product_id as bigint) as product_id,
        cast({{ date_key('moved_date') }} as integer) as moved_date_key,
        warehouse_name,
        movement_reason,
        cast(quantity as integer) as quantity,
        cast(occurrence as integer) as occurrence,
        cast(moved_at as timestamptz) as moved_at
    from movements
)

select * from final
