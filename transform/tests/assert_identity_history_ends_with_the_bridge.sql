-- No generic test compares the last of many rows with another table's only one.
with

history as (
    select
        identity_id,
        customer_id,
        row_number() over (partition by identity_id order by assigned_at desc) as recency
    from {{ ref('bridge_customer_identity_history') }}
),

identities as (
    select * from {{ ref('bridge_customer_identities') }}
),

final as (
    select
        identities.identity_id,
        identities.customer_id,
        history.customer_id as recorded_customer_id
    from identities
    left join history
        on identities.identity_id = history.identity_id and history.recency = 1
    where history.customer_id is null or identities.customer_id != history.customer_id
)

select * from final
