-- No generic test compares a fact with the sum of a finer one.
with

order_items as (
    select * from {{ ref('fct_order_items') }}
),

orders as (
    select * from {{ ref('fct_orders') }}
),

line_sums as (
    select
        order_id,
        count(*) as line_count,
        sum(gross_amount) as gross_amount,
        sum(discount_amount) as discount_amount,
        sum(net_amount) as net_amount
    from order_items
    group by order_id
),

final as (
    select
        orders.order_id,
        orders.line_count,
        orders.net_amount,
        line_sums.line_count as counted_lines,
        line_sums.net_amount as summed_net_amount
    from orders
    left join line_sums
        on orders.order_id = line_sums.order_id
    where
        orders.line_count != coalesce(line_sums.line_count, 0)
        or orders.gross_amount != coalesce(line_sums.gross_amount, 0)
        or orders.discount_amount != coalesce(line_sums.discount_amount, 0)
        or orders.net_amount != coalesce(line_sums.net_amount, 0)
)

select * from final
