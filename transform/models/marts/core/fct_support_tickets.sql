{{ config(dist='customer_id', sort=['opened_date_key']) }}

with

tickets as (
    select * from {{ ref('stg_web__support_tickets') }}
),

identities as (
    select * from {{ ref('int_identities_clustered') }}
    where source_entity = 'support_tickets'
),

versions as (
    select * from {{ ref('int_customers_versioned') }}
),

final as (
    select
        tickets.ticket_id,
        cast(coalesce(versions.customer_key, {{ unknown_id() }}) as bigint) as customer_key,
        cast(coalesce(identities.customer_id, {{ unknown_id() }}) as bigint) as customer_id,
        cast({{ date_key(business_date('tickets.opened_at')) }} as integer) as opened_date_key,
        cast({{ date_key(business_date('tickets.resolved_at')) }} as integer) as resolved_date_key,
        tickets.channel,
        coalesce(tickets.priority, 'unknown') as priority,
        tickets.ticket_status,
        cast({{ agent_key('tickets.agent_name') }} as bigint) as agent_id,
        tickets.agent_name,
        tickets.subject,
        tickets.ticket_status = 'solved' as is_solved,
        tickets.is_resolved_before_opened,
        cast(tickets.tag_count as integer) as tag_count,
        cast(tickets.status_change_count as integer) as status_change_count,
        cast(tickets.satisfaction_score as numeric(3, 1)) as satisfaction_score,
        cast(tickets.refund_amount as numeric(18, 6)) as refund_amount,
        cast(
            {{ seconds_between('tickets.opened_at', 'tickets.first_response_at') }}
            as numeric(18, 3)
        ) as first_response_seconds,
        cast({{ seconds_between('tickets.opened_at', 'tickets.resolved_at') }} as numeric(18, 3))
            as resolution_seconds,
        cast(tickets.opened_at as timestamptz) as opened_at,
        cast(tickets.first_response_at as timestamptz) as first_response_at,
        cast(tickets.resolved_at as timestamptz) as resolved_at,
        cast(tickets.updated_at as timestamptz) as updated_at
    from tickets
    left join identities
        on tickets.ticket_id = identities.source_id
    left join versions
        on
            identities.customer_id = versions.customer_id
            and {{ is_valid_at('versions', 'tickets.opened_at') }}
)

select * from final
