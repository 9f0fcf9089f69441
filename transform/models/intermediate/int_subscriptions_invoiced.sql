{{ config(dist='subscription_id', sort=['subscription_id']) }}

with

subscriptions as (
    select * from {{ ref('stg_crm__subscriptions') }}
),

invoices as (
    select * from {{ ref('stg_crm__invoices') }}
),

-- An invoice can arrive before its subscription: such a subscription is inferred until it comes.
mentions as (
    select subscription_id from subscriptions
    union all
    select subscription_id from invoices
),

subscription_ids as (
    select distinct subscription_id
    from mentions
),

totals as (
    select
        subscription_id,
        count(case when not is_credit_note then 1 end) as invoice_count,
        count(case when is_credit_note then 1 end) as credit_note_count,
        sum(amount) as invoiced_amount,
        sum(case when invoice_status = 'paid' then amount else 0 end) as paid_amount,
        max(paid_at) as last_paid_at
    from invoices
    group by subscription_id
),

final as (
    select
        subscription_ids.subscription_id,
        subscriptions.contact_id,
        coalesce(subscriptions.plan_name, 'unknown') as plan_name,
        coalesce(subscriptions.subscription_status, 'unknown') as subscription_status,
        coalesce(subscriptions.currency_code, 'XXX') as currency_code,
        subscriptions.subscription_id is null as is_inferred,
        coalesce(subscriptions.is_auto_renewed, false) as is_auto_renewed,
        subscriptions.monthly_price,
        subscriptions.discount_rate,
        subscriptions.seat_count,
        coalesce(totals.invoice_count, 0) as invoice_count,
        coalesce(totals.credit_note_count, 0) as credit_note_count,
        cast(coalesce(totals.invoiced_amount, 0) as numeric(18, 2)) as invoiced_amount,
        cast(coalesce(totals.paid_amount, 0) as numeric(18, 2)) as paid_amount,
        subscriptions.started_date,
        subscriptions.cancelled_date,
        totals.last_paid_at,
        subscriptions.updated_at
    from subscription_ids
    left join subscriptions
        on subscription_ids.subscription_id = subscriptions.subscription_id
    left join totals
        on subscription_ids.subscription_id = totals.subscription_id
)

select * from final
