{{ config(dist='order_id', sort=['ordered_at']) }}

with

orders as (
    select * from {{ ref('stg_shop__orders') }}
),

order_items as (
    select * from {{ ref('int_order_items_priced') }}
),

payments as (
    select * from {{ ref('int_payments_netted') }}
),

customers as (
    select * from {{ ref('int_customers_deduplicated') }}
),

versions as (
    select * from {{ ref('int_customers_versioned') }}
),

-- Tables are read one after another while the shop sells: a line or a payment can arrive before its
-- order. Such an order is inferred, so that no amount is lost, and completed by the next load.
mentions as (
    select order_id from orders
    union all
    select order_id from order_items
    union all
    select order_id from payments
),

order_ids as (
    select distinct order_id
    from mentions
),

final as (
    select
        order_ids.order_id,
        orders.order_uuid,
        coalesce(versions.customer_key, {{ unknown_id() }}) as customer_key,
        coalesce(customers.surviving_customer_id, {{ unknown_id() }}) as customer_id,
        coalesce(orders.order_status, 'unknown') as order_status,
        coalesce(orders.sales_channel, 'unknown') as sales_channel,
        coalesce(orders.currency_code, 'XXX') as currency_code,
        orders.order_id is null as is_inferred,
        orders.order_id is not null and orders.customer_id is null as is_guest_order,
        coalesce(orders.is_promised_date_in_far_future, false) as is_promised_date_in_far_future,
        {{ date_key(business_date('orders.ordered_at')) }} as ordered_date_key,
        {{ date_key('orders.promised_date') }} as promised_date_key,
        orders.ordered_at,
        orders.updated_at
    from order_ids
    left join orders
        on order_ids.order_id = orders.order_id
    left join customers
        on orders.customer_id = customers.customer_id
    left join versions
        on
            customers.surviving_customer_id = versions.customer_id
            and {{ is_valid_at('versions', 'orders.ordered_at') }}
)

select * from final
