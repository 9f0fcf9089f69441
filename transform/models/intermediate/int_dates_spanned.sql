{{ config(dist='all', sort=['date_day']) }}

with

orders as (
    select * from {{ ref('stg_shop__orders') }}
),

payments as (
    select * from {{ ref('stg_shop__payments') }}
),

refunds as (
    select * from {{ ref('stg_shop__refunds') }}
),

movements as (
    select * from {{ ref('stg_shop__inventory_movements') }}
),

sessions as (
    select * from {{ ref('stg_web__sessions') }}
),

tickets as (
    select * from {{ ref('stg_web__support_tickets') }}
),

touches as (
    select * from {{ ref('stg_crm__campaign_touches') }}
),

subscriptions as (
    select * from {{ ref('stg_crm__subscriptions') }}
),

used as (
    select {{ business_date('ordered_at') }} as date_day from orders
    union all
    select promised_date as date_day from orders
    union all
    select {{ business_date('paid_at') }} as date_day from payments
    union all
    select {{ business_date('refunded_at') }} as date_day from refunds
    union all
    select {{ business_date('moved_at') }} as date_day from movements
    union all
    select {{ business_date('started_at') }} as date_day from sessions
    union all
    select {{ business_date('opened_at') }} as date_day from tickets
    union all
    select {{ business_date('resolved_at') }} as date_day from tickets
    union all
    select {{ business_date('touched_at') }} as date_day from touches
    union all
    select started_date as date_day from subscriptions
    union all
    select cancelled_date as date_day from subscriptions
),

bounds as (
    select
        cast(date_trunc('year', min(date_day)) as date) as first_day,
        extract(year from max(date_day)) as last_year
    from used
),

digits as (
    {{ digits() }}
),

-- 10,000 days reach over 27 years; the facts' relationship tests tell when that is not enough.
numbers as (
    select
        ones.digit + 10 * tens.digit + 100 * hundreds.digit + 1000 * thousands.digit
            as day_number
    from digits as ones
    cross join digits as tens
    cross join digits as hundreds
    cross join digits as thousands
),

days as (
    select bounds.first_day + numbers.day_number as date_day
    from bounds
    cross join numbers
),

final as (
    select days.date_day
    from days
    cross join bounds
    where extract(year from days.date_day) <= bounds.last_year
)

select * from final
