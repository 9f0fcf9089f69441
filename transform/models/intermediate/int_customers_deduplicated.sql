{{ config(dist='customer_id', sort=['customer_id']) }}

with

customers as (
    select * from {{ ref('stg_shop__customers') }}
),

-- The same person registered again: the same e-mail address, or, without one, only themselves.
matched as (
    select
        customer_id,
        created_at,
        updated_at,
        coalesce(email, cast(customer_id as varchar(20))) as match_key
    from customers
),

ranked as (
    select
        customer_id,
        min(customer_id) over (partition by match_key) as surviving_customer_id,
        row_number() over (
            partition by match_key
            order by updated_at desc, customer_id desc
        ) as recency,
        count(*) over (partition by match_key) as registration_count,
        min(created_at) over (partition by match_key) as first_registered_at
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
