{{ config(dist='order_id', sort=['order_id']) }}

with

order_items as (
    select * from {{ ref('int_order_items_priced') }}
),

orders as (
    select * from {{ ref('int_orders_completed') }}
),

payments as (
    select * from {{ ref('int_payments_netted') }}
),

exchange_rates as (
    select * from {{ ref('exchange_rates') }}
),

refunded_orders as (
    select
        payments.order_id,
        sum(payments.refunded_amount) as refunded_amount
    from payments
    inner join orders
        on payments.order_id = orders.order_id
    where orders.order_status != 'cancelled'
    group by payments.order_id
    having sum(payments.refunded_amount) != 0
),

sized as (
    select
        order_items.order_id,
        order_items.line_number,
        order_items.net_amount,
        refunded_orders.refunded_amount,
        sum(order_items.net_amount) over (partition by order_items.order_id) as order_net_amount,
        row_number() over (
            partition by order_items.order_id order by order_items.line_number
        ) as line_position
    from order_items
    inner join refunded_orders
        on order_items.order_id = refunded_orders.order_id
),

shared as (
    select
        order_id,
        line_number,
        line_position,
        refunded_amount,
        cast(
            coalesce({{ ratio('refunded_amount', 'order_net_amount') }}, 0) * net_amount
            as numeric(18, 6)
        ) as line_share
    from sized
),

-- What the shares leave over through rounding is the first line's.
refunds as (
    select
        order_id,
        line_number,
        line_share + case
            when line_position = 1
                then refunded_amount - sum(line_share) over (partition by order_id)
            else 0
        end as refunded_amount
    from shared
),

netted as (
    select
        order_items.*,
        orders.currency_code,
        {{ month_start(business_date('orders.ordered_at')) }} as ordered_month,
        cast(
            case when orders.order_status = 'cancelled' then 0 else order_items.net_amount end
            as numeric(18, 6)
        ) as revenue_amount,
        cast(coalesce(refunds.refunded_amount, 0) as numeric(18, 6)) as refunded_amount
    from order_items
    inner join orders
        on order_items.order_id = orders.order_id
    left join refunds
        on
            order_items.order_id = refunds.order_id
            and order_items.line_number = refunds.line_number
),

final as (
    select
        netted.order_id,
        netted.line_number,
        netted.product_id,
        netted.is_return,
        netted.currency_code,
        netted.ordered_quantity,
        netted.returned_quantity,
        netted.net_quantity,
        netted.unit_price,
        netted.discount_rate,
        netted.gross_amount,
        netted.discount_amount,
        netted.net_amount,
        netted.revenue_amount,
        netted.refunded_amount,
        {{ in_eur('netted.revenue_amount', 'netted.currency_code', 'exchange_rates.eur_rate') }}
            as revenue_amount_eur,
        {{ in_eur('netted.refunded_amount', 'netted.currency_code', 'exchange_rates.eur_rate') }}
            as refunded_amount_eur
    from netted
    left join exchange_rates
        on
            netted.currency_code = exchange_rates.currency_code
            and netted.ordered_month = exchange_rates.month_start_date
)

select * from final
