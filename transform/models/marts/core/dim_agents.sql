{{ config(dist='all', sort=['agent_id']) }}

with

tickets as (
    select * from {{ ref('stg_web__support_tickets') }}
),

agents as (
    select
        {{ agent_key('agent_name') }} as agent_id,
        min(agent_name) as agent_name,
        min(opened_at) as first_ticket_at
    from tickets
    where agent_name is not null
    group by {{ agent_key('agent_name') }}
),

with_unknown as (
    select
        agent_id,
        agent_name,
        false as is_unknown,
        first_ticket_at
    from agents
    union all
    select
        {{ unknown_id() }} as agent_id,
        'Nobody' as agent_name,
        true as is_unknown,
        null as first_ticket_at
),

final as (
    select
        cast(agent_id as bigint) as agent_id,
        agent_name,
        is_unknown,
        cast(first_ticket_at as timestamptz) as first_ticket_at
    from with_unknown
)

select * from final
