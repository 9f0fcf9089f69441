{{ config(dist='customer_id', sort=['customer_id']) }}

with

customers as (
    select * from {{ ref('stg_shop__customers') }}
),

registrations as (
    select * from {{ ref('int_customers_deduplicated') }}
),

locations as (
    select * from {{ ref('int_customers_located') }}
),

-- A person keeps the number of the first registration and the values of the latest one.
persons as (
    select
        registrations.surviving_customer_id as customer_id,
        latest.external_id,
        coalesce(latest.email, first_entry.email) as email,
        coalesce(latest.full_name, first_entry.full_name) as full_name,
        coalesce(latest.phone, first_entry.phone) as phone,
        coalesce(latest.country_code, first_entry.country_code) as country_code,
        latest.loyalty_tier,
        coalesce(latest.preferred_language, first_entry.preferred_language) as preferred_language,
        latest.is_newsletter_subscriber,
        latest.is_birth_date_in_future,
        coalesce(latest.birth_date, first_entry.birth_date) as birth_date,
        {{ json_length('latest.interests') }} as interest_count,
        registrations.registration_count,
        registrations.first_registered_at as registered_at,
        latest.updated_at
    from registrations
    inner join customers as latest
        on registrations.customer_id = latest.customer_id
    inner join customers as first_entry
        on registrations.surviving_customer_id = first_entry.customer_id
    where registrations.is_latest
),

located as (
    select
        persons.customer_id,
        persons.external_id,
        persons.email,
        persons.full_name,
        persons.phone,
        coalesce(persons.country_code, locations.country_code, 'ZZ') as country_code,
        locations.city,
        locations.postal_code,
        persons.loyalty_tier,
        persons.preferred_language,
        persons.is_newsletter_subscriber,
        persons.is_birth_date_in_future,
        false as is_unknown,
        persons.birth_date,
        persons.interest_count,
        persons.registration_count,
        persons.registered_at,
        persons.updated_at
    from persons
    left join locations
        on persons.customer_id = locations.customer_id
),

with_unknown as (
    select * from located
    union all
    select
        {{ unknown_id() }} as customer_id,
        null as external_id,
        null as email,
        'Unknown' as full_name,
        null as phone,
        'ZZ' as country_code,
        null as city,
        null as postal_code,
        'none' as loyalty_tier,
        null as preferred_language,
        false as is_newsletter_subscriber,
        false as is_birth_date_in_future,
        true as is_unknown,
        null as birth_date,
        0 as interest_count,
        0 as registration_count,
        null as registered_at,
        null as updated_at
),

final as (
    select
        cast(customer_id as bigint) as customer_id,
        external_id,
        email,
        full_name,
        phone,
        country_code,
        city,
        postal_code,
        loyalty_tier,
        preferred_language,
        cast(is_newsletter_subscriber as boolean) as is_newsletter_subscriber,
        cast(is_birth_date_in_future as boolean) as is_birth_date_in_future,
        cast(is_unknown as boolean) as is_unknown,
        cast(birth_date as date) as birth_date,
        cast(interest_count as integer) as interest_count,
        cast(registration_count as integer) as registration_count,
        cast(registered_at as timestamptz) as registered_at,
        cast(updated_at as timestamptz) as updated_at
    from with_unknown
)

select * from final
