{{ config(dist='customer_id', sort=['customer_id']) }}

with

identities as (
    select * from {{ ref('int_identities_gathered') }}
),

clusters as (
    select * from {{ ref('int_identities_clustered') }}
),

own_emails as (
    select identity_id
    from {{ ref('int_identities_linked') }}
    where identifier_kind = 'email'
),

described as (
    select
        clusters.customer_id,
        clusters.source_system,
        case when own_emails.identity_id is not null then identities.email end as email,
        identities.phone,
        identities.full_name,
        case
            when identities.source_entity != 'sessions' then identities.country_code
        end as country_code,
        identities.first_seen_at,
        identities.updated_at,
        row_number() over (
            partition by clusters.customer_id
            order by
                identities.system_order asc,
                identities.updated_at desc,
                identities.identity_rank desc
        ) as preference
    from clusters
    inner join identities
        on clusters.identity_id = identities.identity_id
    left join own_emails
        on clusters.identity_id = own_emails.identity_id
),

-- What the entry of the first system that changed last lacks, the next one supplies.
{% set rest = '(partition by customer_id order by preference
            rows between unbounded preceding and unbounded following)' %}
filled as (
    select
        customer_id,
        source_system,
        preference,
        first_value(email ignore nulls) over {{ rest }} as email,
        first_value(phone ignore nulls) over {{ rest }} as phone,
        first_value(full_name ignore nulls) over {{ rest }} as full_name,
        first_value(country_code ignore nulls) over {{ rest }} as country_code,
        first_seen_at,
        updated_at
    from described
),

final as (
    select
        customer_id,
        max(case when preference = 1 then email end) as email,
        max(case when preference = 1 then phone end) as phone,
        max(case when preference = 1 then full_name end) as full_name,
        max(case when preference = 1 then country_code end) as country_code,
        count(*) as identity_count,
        count(case when source_system = 'shop' then 1 end) as shop_identity_count,
        count(case when source_system = 'crm' then 1 end) as crm_identity_count,
        count(case when source_system = 'web' then 1 end) as web_identity_count,
        min(first_seen_at) as first_seen_at,
        max(updated_at) as updated_at
    from filled
    group by customer_id
)

select * from final
