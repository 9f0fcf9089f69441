-- No generic test follows a key through a mapping; relationships would not see one counted twice.
with

registrations as (
    select * from {{ ref('stg_shop__customers') }}
),

mappings as (
    select * from {{ ref('int_customers_deduplicated') }}
),

persons as (
    select * from {{ ref('dim_customers') }}
    where is_current
),

final as (
    select
        registrations.customer_id,
        count(persons.customer_id) as person_count
    from registrations
    left join mappings
        on registrations.customer_id = mappings.customer_id
    left join persons
        on mappings.surviving_customer_id = persons.customer_id
    group by registrations.customer_id
    having count(persons.customer_id) != 1
)

select * from final
