-- No generic test sees a row that is missing between two others.
with

dates as (
    select * from {{ ref('dim_dates') }}
),

final as (
    select
        calendar_year,
        count(*) as day_count
    from dates
    where not is_unknown
    group by calendar_year
    having
        count(*) < 365
        or min(month_of_year * 100 + day_of_month) != 101
        or max(month_of_year * 100 + day_of_month) != 1231
)

select * from final
