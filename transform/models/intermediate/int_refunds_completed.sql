{{ config(dist='payment_id', sort=['payment_id']) }}

with

refunds as (
    select * from {{ ref('stg_shop__refunds') }}
),

payments as (
    select * from {{ ref('stg_shop__payments') }}
),

orders as (
    select * from {{ ref('int_orders_completed') }}
),

exchange_rates as (
    select * from {{ ref('exchange_rates') }}
),

-- A refund can arrive before its payment: it is kept, and completed by the next load.
completed as (
    select
        refunds.refund_id,
        refunds.payment_id,
        payments.order_id,
        coalesce(orders.customer_id, {{ unknown_id() }}) as customer_id,
        refunds.refund_reason,
        coalesce(orders.currency_code, 'XXX') as currency_code,
        refunds.amount,
        {{ business_date('refunds.refunded_at') }} as refunded_date,
        refunds.refunded_at
    from refunds
    left join payments
        on refunds.payment_id = payments.payment_id
    left join orders
        on payments.order_id = orders.order_id
),

final as (
    select
        completed.refund_id,
        completed.payment_id,
        completed.order_id,
        completed.customer_id,
        completed.refund_reason,
        completed.currency_code,
        completed.amount,
        {{ in_eur('completed.amount', 'completed.currency_code', 'exchange_rates.eur_rate') }}
            as amount_eur,
        completed.refunded_date,
        completed.refunded_at
    from completed
    left join exchange_rates
        on
            completed.currency_code = exchange_rates.currency_code
            and {{ month_start('completed.refunded_date') }} = exchange_rates.month_start_date
)

select * from final
