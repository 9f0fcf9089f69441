{{ config(dist='session_id', sort=['started_date_key']) }}

with

events as (
    select * from {{ ref('int_web_events_unnested') }}
),

sessions as (
    select * from {{ ref('stg_web__sessions') }}
),

identities as (
    select * from {{ ref('int_identities_clustered') }}
    where source_entity = 'sessions'
),

products as (
    select * from {{ ref('int_products_deduplicated') }}
),

final as (
    select
        events.session_id,
        cast(events.event_number as integer) as event_number,
        cast(coalesce(identities.customer_id, {{ unknown_id() }}) as bigint) as customer_id,
        cast(coalesce(products.surviving_product_id, {{ unknown_id() }}) as bigint) as product_id,
        cast({{ date_key(business_date('sessions.started_at')) }} as integer) as started_date_key,
        coalesce(sessions.device_type, 'unknown') as device_type,
        events.event_type,
        cast(events.amount as numeric(18, 2)) as amount
    from events
    inner join sessions
        on events.session_id = sessions.session_id
    left join identities
        on events.session_id = identities.source_id
    left join products
        on events.product_id = products.product_id
)

select * from final
