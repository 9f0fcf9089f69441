-- No generic test compares the rows of a fact with those of its source: a join could drop some.
with

sessions as (
    select count(*) as row_count from {{ ref('stg_web__sessions') }}
),

session_facts as (
    select count(*) as row_count from {{ ref('fct_web_sessions') }}
),

tickets as (
    select count(*) as row_count from {{ ref('stg_web__support_tickets') }}
),

ticket_facts as (
    select count(*) as row_count from {{ ref('fct_support_tickets') }}
),

touches as (
    select count(*) as row_count from {{ ref('stg_crm__campaign_touches') }}
),

touch_facts as (
    select count(*) as row_count from {{ ref('fct_campaign_touches') }}
),

final as (
    select
        sessions.row_count as sessions,
        session_facts.row_count as session_facts,
        tickets.row_count as tickets,
        ticket_facts.row_count as ticket_facts,
        touches.row_count as touches,
        touch_facts.row_count as touch_facts
    from sessions
    cross join session_facts
    cross join tickets
    cross join ticket_facts
    cross join touches
    cross join touch_facts
    where
        sessions.row_count != session_facts.row_count
        or tickets.row_count != ticket_facts.row_count
        or touches.row_count != touch_facts.row_count
)

select * from final
