{{ config(dist='customer_id', sort=['customer_id']) }}

with

identities as (
    select * from {{ ref('int_identities_gathered') }}
),

clusters as (
    select * from {{ ref('int_identities_clustered') }}
),

final as (
    select
        clusters.identity_id,
        cast(clusters.customer_id as bigint) as customer_id,
        cast(clusters.own_customer_id as bigint) as own_customer_id,
        clusters.source_system,
        clusters.source_entity,
        clusters.source_id,
        clusters.own_customer_id = clusters.customer_id as is_survivor,
        cast(identities.first_seen_at as timestamptz) as first_seen_at
    from clusters
    inner join identities
        on clusters.identity_id = identities.identity_id
)

select * from final
