{{ config(dist='order_id', sort=['paid_date_key']) }}

with

payments as (
    select * from {{ ref('int_payments_netted') }}
),

orders as (
    select * from {{ ref('int_orders_completed') }}
),

exchange_rates as (
    select * from {{ ref('exchange_rates') }}
),

refunds as (
    select
        payment_id,
        sum(amount_eur) as refunded_amount_eur
    from {{ ref('int_refunds_completed') }}
    group by payment_id
),

versions as (
    select * from {{ ref('int_customers_versioned') }}
),

converted as (
    select
        payments.*,
        orders.customer_id,
        coalesce(versions.customer_key, {{ unknown_id() }}) as customer_key,
        orders.currency_code,
        case
            when payments.settled_amount = 0 then 0
            else {{ in_eur('payments.settled_amount', 'orders.currency_code',
                'exchange_rates.eur_rate') }}
        end as settled_amount_eur,
        case
            when payments.refunded_amount = 0 then 0
            else refunds.refunded_amount_eur
        end as refunded_amount_eur
    from payments
    inner join orders
        on payments.order_id = orders.order_id
    left join refunds
        on payments.payment_id = refunds.payment_id
    left join exchange_rates
        on
            orders.currency_code = exchange_rates.currency_code
            and {{ month_start(business_date('payments.paid_at')) }}
            = exchange_rates.month_start_date
    left join versions
        on
            orders.customer_id = versions.customer_id
            and {{ is_valid_at('versions', 'payments.paid_at') }}
),

final as (
    select
        cast(payment_id as bigint) as payment_id,
        cast(order_id as bigint) as order_id,
        cast(customer_key as bigint) as customer_key,
        cast(customer_id as bigint) as customer_id,
        cast({{ date_key(business_date('paid_at')) }} as integer) as paid_date_key,
        payment_method,
        payment_status,
        currency_code,
        cast(refund_count as integer) as refund_count,
        cast(amount as numeric(18, 2)) as amount,
        cast(settled_amount as numeric(18, 2)) as settled_amount,
        cast(refunded_amount as numeric(18, 2)) as refunded_amount,
        cast(settled_amount - refunded_amount as numeric(18, 2)) as net_amount,
        cast(settled_amount_eur as numeric(18, 6)) as settled_amount_eur,
        cast(refunded_amount_eur as numeric(18, 6)) as refunded_amount_eur,
        cast(settled_amount_eur - refunded_amount_eur as numeric(18, 6)) as net_amount_eur,
        cast(paid_at as timestamptz) as paid_at,
        cast(last_refunded_at as timestamptz) as last_refunded_at
    from converted
)

select * from final
