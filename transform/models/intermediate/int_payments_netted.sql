{{ config(dist='order_id', sort=['order_id']) }}

with

payments as (
    select * from {{ ref('stg_shop__payments') }}
),

refunds as (
    select * from {{ ref('stg_shop__refunds') }}
),

refunded as (
    select
        payment_id,
        count(*) as refund_count,
        sum(amount) as refunded_amount,
        max(refunded_at) as last_refunded_at
    from refunds
    group by payment_id
),

final as (
    select
        payments.payment_id,
        payments.order_id,
        payments.payment_method,
        payments.payment_status,
        payments.paid_at,
        refunded.last_refunded_at,
        coalesce(refunded.refund_count, 0) as refund_count,
        payments.amount,
        cast(
            case when payments.payment_status = 'settled' then payments.amount else 0 end
            as numeric(18, 2)
        ) as settled_amount,
        cast(coalesce(refunded.refunded_amount, 0) as numeric(18, 2)) as refunded_amount
    from payments
    left join refunded
        on payments.payment_id = refunded.payment_id
)

select * from final
