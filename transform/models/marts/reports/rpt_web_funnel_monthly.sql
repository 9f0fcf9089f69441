{{ config(dist='all', sort=['month_start_date']) }}

with

sessions as (
    select * from {{ ref('fct_web_sessions') }}
),

dates as (
    select * from {{ ref('dim_dates') }}
),

-- A step counts with all that come before it: some browsers lose events.
reached as (
    select
        dates.month_start_date,
        sessions.device_type,
        case
            when sessions.purchase_count > 0 then 4
            when sessions.checkout_count > 0 then 3
            when sessions.add_to_cart_count > 0 then 2
            when sessions.view_count > 0 then 1
            else 0
        end as furthest_step
    from sessions
    inner join dates
        on sessions.started_date_key = dates.date_key
),

counted as (
    select
        month_start_date,
        device_type,
        count(*) as session_count,
        count(case when furthest_step >= 1 then 1 end) as view_session_count,
        count(case when furthest_step >= 2 then 1 end) as cart_session_count,
        count(case when furthest_step >= 3 then 1 end) as checkout_session_count,
        count(case when furthest_step >= 4 then 1 end) as purchase_session_count
    from reached
    group by month_start_date, device_type
),

final as (
    select
        month_start_date,
        device_type,
        cast(session_count as bigint) as session_count,
        cast(view_session_count as bigint) as view_session_count,
        cast(cart_session_count as bigint) as cart_session_count,
        cast(checkout_session_count as bigint) as checkout_session_count,
        cast(purchase_session_count as bigint) as purchase_session_count,
        {{ ratio('purchase_session_count', 'session_count') }} as conversion_rate
    from counted
)

select * from final
