{#- What was recorded stays: a full refresh would forget who was who. What compiles without a
    warehouse cannot tell whether anything was. #}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    full_refresh=false,
    dist='customer_id',
    sort=['assigned_at']
) }}

with

clusters as (
    select * from {{ ref('int_identities_clustered') }}
),

{% if flags.INTROSPECT != false and is_incremental() %}
    recorded as (
        select
            identity_id,
            customer_id,
            row_number() over (partition by identity_id order by assigned_at desc) as recency
        from {{ this }}
    ),

    compared as (
        select
            clusters.identity_id,
            clusters.customer_id,
            recorded.customer_id as previous_customer_id
        from clusters
        left join recorded
            on clusters.identity_id = recorded.identity_id and recorded.recency = 1
    ),
{% else %}
    compared as (
        select
            identity_id,
            customer_id,
            cast(null as bigint) as previous_customer_id
        from clusters
    ),
{% endif %}

-- Who was one person, and bears several numbers now.
parted as (
    select previous_customer_id
    from compared
    where previous_customer_id is not null
    group by previous_customer_id
    having count(distinct customer_id) > 1
),

final as (
    select
        compared.identity_id,
        cast(compared.customer_id as bigint) as customer_id,
        cast(compared.previous_customer_id as bigint) as previous_customer_id,
        cast(parted.previous_customer_id is not null as boolean) as is_split,
        cast({{ this_moment() }} as timestamptz) as assigned_at
    from compared
    left join parted
        on compared.previous_customer_id = parted.previous_customer_id
    where
        compared.previous_customer_id is null
        or compared.customer_id != compared.previous_customer_id
)

select * from final
