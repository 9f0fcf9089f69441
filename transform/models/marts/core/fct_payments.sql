{{ config(dist='order_id', sort=['paid_date_key']) }}

with

payments as (
    select * from {{ ref('int_payments_netted') }}
),

orders as (
    select * from {{ ref('int_orders_completed') }}
),

versions as (
    select * from {{ ref('int_customers_versioned') }}
),

final as (
    select
        cast(payments.payment_id as bigint) as payment_id,
        cast(payments.order_id as bigint) as order_id,
        cast(coalesce(versions.customer_key, {{ unknown_id() }}) as bigint) as customer_key,
        cast(orders.customer_id as bigint) as customer_id,
        cast({{ date_key(business_date('payments.paid_at')) }} as integer) as paid_date_key,
        payments.payment_method,
        payments.payment_status,
        orders.currency_code,
        cast(payments.refund_count as integer) as refund_count,
        cast(payments.amount as numeric(18, 2)) as amount,
        cast(payments.settled_amount as numeric(18, 2)) as settled_amount,
        cast(payments.refunded_amount as numeric(18, 2)) as refunded_amount,
        cast(payments.settled_amount - payments.refunded_amount as numeric(18, 2)) as net_amount,
        cast(payments.paid_at as timestamptz) as paid_at,
        cast(payments.last_refunded_at as timestamptz) as last_refunded_at
    from payments
    inner join orders
        on payments.order_id = orders.order_id
    left join versions
        on
            orders.customer_id = versions.customer_id
            and {{ is_valid_at('versions', 'payments.paid_at') }}
)

select * from final
