{{ config(dist='order_id', sort=['ordered_date_key']) }}

with

orders as (
    select * from {{ ref('int_orders_completed') }}
),

order_items as (
    select * from {{ ref('int_order_items_netted') }}
),

payments as (
    select * from {{ ref('int_payments_netted') }}
),

item_totals as (
    select
        order_id,
        count(*) as line_count,
        sum(gross_amount) as gross_amount,
        sum(discount_amount) as discount_amount,
        sum(net_amount) as net_amount,
        sum(revenue_amount) as revenue_amount,
        sum(revenue_amount_eur) as revenue_amount_eur,
        sum(revenue_amount_eur - refunded_amount_eur) as net_revenue_amount_eur
    from order_items
    group by order_id
),

payment_totals as (
    select
        order_id,
        sum(settled_amount) as settled_amount,
        sum(refunded_amount) as refunded_amount
    from payments
    group by order_id
),

final as (
    select
        cast(orders.order_id as bigint) as order_id,
        orders.order_uuid,
        cast(orders.customer_key as bigint) as customer_key,
        cast(orders.customer_id as bigint) as customer_id,
        cast(orders.ordered_date_key as integer) as ordered_date_key,
        cast(orders.promised_date_key as integer) as promised_date_key,
        orders.order_status,
        orders.sales_channel,
        orders.currency_code,
        cast(coalesce(item_totals.line_count, 0) as integer) as line_count,
        cast(coalesce(item_totals.gross_amount, 0) as numeric(18, 6)) as gross_amount,
        cast(coalesce(item_totals.discount_amount, 0) as numeric(18, 6)) as discount_amount,
        cast(coalesce(item_totals.net_amount, 0) as numeric(18, 6)) as net_amount,
        cast(coalesce(item_totals.revenue_amount, 0) as numeric(18, 6)) as revenue_amount,
        cast(item_totals.revenue_amount_eur as numeric(18, 6)) as revenue_amount_eur,
        cast(item_totals.net_revenue_amount_eur as numeric(18, 6)) as net_revenue_amount_eur,
        cast(coalesce(payment_totals.settled_amount, 0) as numeric(18, 2)) as settled_amount,
        cast(coalesce(payment_totals.refunded_amount, 0) as numeric(18, 2)) as refunded_amount,
        orders.is_guest_order,
        orders.is_inferred,
        orders.is_promised_date_in_far_future,
        cast(orders.ordered_at as timestamptz) as ordered_at,
        cast(orders.updated_at as timestamptz) as updated_at
    from orders
    left join item_totals
        on orders.order_id = item_totals.order_id
    left join payment_totals
        on orders.order_id = payment_totals.order_id
)

select * from final
