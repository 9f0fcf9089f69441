{{ config(dist='product_id', sort=['stock_date']) }}

with

movements as (
    select * from {{ ref('int_inventory_movements_matched') }}
),

days as (
    select
        product_id,
        warehouse_name,
        moved_date,
        sum(case when quantity > 0 then quantity else 0 end) as received_quantity,
        sum(case when quantity < 0 then -quantity else 0 end) as issued_quantity,
        sum(quantity) as net_quantity
    from movements
    group by product_id, warehouse_name, moved_date
),

balanced as (
    select
        *,
        sum(net_quantity) over (
            partition by product_id, warehouse_name order by moved_date
            rows between unbounded preceding and current row
        ) as closing_quantity,
        lead(moved_date) over (
            partition by product_id, warehouse_name order by moved_date
        ) as next_moved_date
    from days
),

final as (
    select
        cast(product_id as bigint) as product_id,
        cast({{ date_key('moved_date') }} as integer) as stock_date_key,
        warehouse_name,
        cast(received_quantity as bigint) as received_quantity,
        cast(issued_quantity as bigint) as issued_quantity,
        cast(closing_quantity as bigint) as closing_quantity,
        next_moved_date is null as is_latest,
        moved_date as stock_date,
        coalesce(next_moved_date - 1, cast('9999-12-31' as date)) as valid_to_date
    from balanced
)

select * from final
