-- No generic test compares totals: a join to orders or refunds could drop or repeat rows.
with

payments as (
    select * from {{ ref('stg_shop__payments') }}
),

refunds as (
    select * from {{ ref('stg_shop__refunds') }}
),

facts as (
    select * from {{ ref('fct_payments') }}
),

orders as (
    select * from {{ ref('fct_orders') }}
),

paid as (
    select
        count(*) as payment_count,
        coalesce(sum(amount), 0) as amount,
        coalesce(sum(case when payment_status = 'settled' then amount end), 0) as settled_amount
    from payments
),

paid_back as (
    select coalesce(sum(amount), 0) as refunded_amount
    from refunds
),

modelled as (
    select
        count(*) as payment_count,
        coalesce(sum(amount), 0) as amount,
        coalesce(sum(settled_amount), 0) as settled_amount,
        coalesce(sum(refunded_amount), 0) as refunded_amount
    from facts
),

ordered as (
    select
        coalesce(sum(settled_amount), 0) as settled_amount,
        coalesce(sum(refunded_amount), 0) as refunded_amount
    from orders
),

final as (
    select
        paid.payment_count,
        modelled.payment_count as modelled_payment_count,
        paid.settled_amount,
        modelled.settled_amount as modelled_settled_amount,
        ordered.settled_amount as ordered_settled_amount,
        paid_back.refunded_amount,
        modelled.refunded_amount as modelled_refunded_amount,
        ordered.refunded_amount as ordered_refunded_amount
    from paid
    cross join paid_back
    cross join modelled
    cross join ordered
    where
        paid.payment_count != modelled.payment_count
        or paid.amount != modelled.amount
        or paid.settled_amount != modelled.settled_amount
        or paid.settled_amount != ordered.settled_amount
        or paid_back.refunded_amount != modelled.refunded_amount
        or paid_back.refunded_amount != ordered.refunded_amount
)

select * from final
