{{ config(dist='all', sort=['date_key']) }}

with

days as (
    select * from {{ ref('int_dates_spanned') }}
),

parts as (
    select
        date_day,
        extract(year from date_day) as calendar_year,
        extract(month from date_day) as month_of_year,
        extract(day from date_day) as day_of_month,
        case extract(dow from date_day) when 0 then 7 else extract(dow from date_day) end
            as day_of_week,
        {{ fiscal_month('extract(month from date_day)') }} as month_of_fiscal_year
    from days
),

calendar as (
    select
        {{ date_key('date_day') }} as date_key,
        date_day,
        calendar_year,
        ceil(month_of_year / 3.0) as quarter_of_year,
        month_of_year,
        cast(date_trunc('month', date_day) as date) as month_start_date,
        -- The ISO year of a week is the year of its Thursday.
        extract(year from date_day + cast(4 - day_of_week as integer)) as iso_year,
        extract(week from date_day) as iso_week,
        day_of_month,
        day_of_week,
        {{ fiscal_year('calendar_year', 'month_of_year') }} as fiscal_year,
        ceil(month_of_fiscal_year / 3.0) as quarter_of_fiscal_year,
        month_of_fiscal_year,
        day_of_week >= 6 as is_weekend,
        false as is_unknown
    from parts
),

with_unknown as (
    select * from calendar
    union all
    select
        {{ unknown_id() }} as date_key,
        null as date_day,
        null as calendar_year,
        null as quarter_of_year,
        null as month_of_year,
        null as month_start_date,
        null as iso_year,
        null as iso_week,
        null as day_of_month,
        null as day_of_week,
        null as fiscal_year,
        null as quarter_of_fiscal_year,
        null as month_of_fiscal_year,
        false as is_weekend,
        true as is_unknown
),

final as (
    select
        cast(date_key as integer) as date_key,
        cast(date_day as date) as date_day,
        cast(calendar_year as integer) as calendar_year,
        cast(quarter_of_year as integer) as quarter_of_year,
        cast(month_of_year as integer) as month_of_year,
        cast(month_start_date as date) as month_start_date,
        cast(iso_year as integer) as iso_year,
        cast(iso_week as integer) as iso_week,
        cast(day_of_month as integer) as day_of_month,
        cast(day_of_week as integer) as day_of_week,
        cast(fiscal_year as integer) as fiscal_year,
        cast(quarter_of_fiscal_year as integer) as quarter_of_fiscal_year,
        cast(month_of_fiscal_year as integer) as month_of_fiscal_year,
        cast(is_weekend as boolean) as is_weekend,
        cast(is_unknown as boolean) as is_unknown
    from with_unknown
)

select * from final
