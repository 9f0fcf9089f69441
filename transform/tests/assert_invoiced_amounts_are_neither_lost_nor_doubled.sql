-- No generic test compares totals: a join to invoices or persons could drop or repeat rows.
with

invoices as (
    select * from {{ ref('stg_crm__invoices') }}
),

facts as (
    select * from {{ ref('fct_subscriptions') }}
),

invoiced as (
    select
        count(*) as invoice_count,
        coalesce(sum(amount), 0) as amount,
        coalesce(sum(case when invoice_status = 'paid' then amount end), 0) as paid_amount
    from invoices
),

modelled as (
    select
        coalesce(sum(invoice_count + credit_note_count), 0) as invoice_count,
        coalesce(sum(invoiced_amount), 0) as amount,
        coalesce(sum(paid_amount), 0) as paid_amount
    from facts
),

final as (
    select
        invoiced.invoice_count,
        modelled.invoice_count as modelled_invoice_count,
        invoiced.amount,
        modelled.amount as modelled_amount,
        invoiced.paid_amount,
        modelled.paid_amount as modelled_paid_amount
    from invoiced
    cross join modelled
    where
        invoiced.invoice_count != modelled.invoice_count
        or invoiced.amount != modelled.amount
        or invoiced.paid_amount != modelled.paid_amount
)

select * from final
