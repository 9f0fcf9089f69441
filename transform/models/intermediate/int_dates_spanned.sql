{{ config(dist='all', sort=['date_day']) }}

with

orders as (
    select * from {{ ref('stg_shop__orders') }}
),

payments as (
    select * from {{ ref('stg_shop__payments') }}
),

used as (
    select {{ business_date('ordered_at') }} as date_day from orders
    union all
    select promised_date as date_day from orders
    union all
    select {{ business_date('paid_at') }} as date_day from payments
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
