{{ config(dist='all', sort=['month_start_date']) }}

with

tickets as (
    select * from {{ ref('fct_support_tickets') }}
),

dates as (
    select * from {{ ref('dim_dates') }}
),

channels as (
    select * from {{ ref('dim_channels') }}
),

counted as (
    select
        dates.month_start_date,
        channels.channel_name,
        tickets.priority,
        count(*) as ticket_count,
        count(case when tickets.is_solved then 1 end) as solved_count,
        count(tickets.first_response_seconds) as answered_count,
        count(case when tickets.first_response_seconds <= 86400 then 1 end)
            as answered_in_a_day_count,
        sum(tickets.first_response_seconds) as first_response_seconds,
        count(tickets.satisfaction_score) as rated_count,
        sum(tickets.satisfaction_score) as satisfaction_score
    from tickets
    inner join dates
        on tickets.opened_date_key = dates.date_key
    inner join channels
        on tickets.channel = channels.channel_code
    group by dates.month_start_date, channels.channel_name, tickets.priority
),

final as (
    select
        month_start_date,
        channel_name,
        priority,
        cast(ticket_count as bigint) as ticket_count,
        cast(solved_count as bigint) as solved_count,
        cast(ticket_count - solved_count as bigint) as backlog_count,
        cast(answered_count as bigint) as answered_count,
        {{ ratio('first_response_seconds', '(3600 * answered_count)') }}
            as mean_first_response_hours,
        {{ ratio('answered_in_a_day_count', 'ticket_count') }} as answered_in_a_day_rate,
        {{ ratio('satisfaction_score', 'rated_count') }} as mean_satisfaction_score
    from counted
)

select * from final
