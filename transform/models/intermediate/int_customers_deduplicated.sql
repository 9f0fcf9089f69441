{{ config(dist='customer_id', sort=['customer_id']) }}

with

customers as (
    select * from {{ ref('stg_shop__customers') }}
),

identities as (
    select * from {{ ref('int_identities_clustered') }}
),

-- Of a person's entries in all systems the shop's first is the one whose number the person keeps.
matched as (
    select
        customers.customer_id,
        identities.customer_id as surviving_customer_id,
        customers.created_at,
        customers.updated_at
    from customers
    inner join identities
        on
            customers.customer_id = identities.own_customer_id
            and identities.source_system = 'shop'
),

ranked as (
    select
        customer_id,
        surviving_customer_id,
        row_number() over (
            partition by surviving_customer_id
            order by updated_at desc, customer_id desc
        ) as recency,
        count(*) over (partition by surviving_customer_id) as registration_count,
        min(created_at) over (partition by surviving_customer_id) as first_registered_at
    from matched
),

final as (
    select
        customer_id,
        surviving_customer_id,
        customer_id = surviving_customer_id as is_survivor,
        recency = 1 as is_latest,
        registration_count,
        first_registered_at
    from ranked
)

select * from final
