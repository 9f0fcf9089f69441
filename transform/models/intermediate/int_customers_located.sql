{{ config(dist='customer_id', sort=['customer_id']) }}

with

addresses as (
    select * from {{ ref('stg_shop__addresses') }}
),

customers as (
    select * from {{ ref('int_customers_deduplicated') }}
),

ranked as (
    select
        customers.surviving_customer_id as customer_id,
        addresses.city,
        addresses.postal_code,
        addresses.country_code,
        row_number() over (
            partition by customers.surviving_customer_id
            order by
                case when addresses.is_default then 0 else 1 end,
                addresses.updated_at desc,
                addresses.address_id desc
        ) as preference
    from addresses
    inner join customers
        on addresses.customer_id = customers.customer_id
),

final as (
    select
        customer_id,
        city,
        postal_code,
        country_code
    from ranked
    where preference = 1
)

select * from final
