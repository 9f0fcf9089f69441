{{ config(dist='order_id', sort=['refunded_date_key']) }}

with

refunds as (
    select * from {{ ref('int_refunds_completed') }}
),

final as (
    select
        cast(refund_id as bigint) as refund_id,
        cast(payment_id as bigint) as payment_id,
        cast(order_id as bigint) as order_id,
        cast(customer_id as bigint) as customer_id,
        cast({{ date_key('refunded_date') }} as integer) as refunded_date_key,
        refund_reason,
        currency_code,
        cast(amount as numeric(18, 2)) as amount,
        cast(amount_eur as numeric(18, 6)) as amount_eur,
        cast(refunded_at as timestamptz) as refunded_at
    from refunds
)

select * from final
