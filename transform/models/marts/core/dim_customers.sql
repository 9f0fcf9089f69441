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

profiles as (
    select * from {{ ref('int_customers_profiled') }}
),

-- What only the shop knows: the latest registration counts, and the first fills its gaps.
registered as (
    select
        registrations.surviving_customer_id as customer_id,
        latest.external_id,
        latest.loyalty_tier,
        coalesce(latest.preferred_language, first_entry.preferred_language) as preferred_language,
        latest.is_newsletter_subscriber,
        latest.is_birth_date_in_future,
        coalesce(latest.birth_date, first_entry.birth_date) as birth_date,
        {{ json_length('latest.interests') }} as interest_count,
        registrations.registration_count,
        registrations.first_registered_at
    from registrations
    inner join customers as latest
        on registrations.customer_id = latest.customer_id
    inner join customers as first_entry
        on registrations.surviving_customer_id = first_entry.customer_id
    where registrations.is_latest
),

persons as (
    select
        profiles.customer_id,
        registered.external_id,
        profiles.email,
        profiles.full_name,
        profiles.phone,
        coalesce(profiles.country_code, locations.country_code, 'ZZ') as country_code,
        locations.city,
        locations.postal_code,
        coalesce(registered.loyalty_tier, 'none') as loyalty_tier,
        registered.preferred_language,
        coalesce(registered.is_newsletter_subscriber, false) as is_newsletter_subscriber,
        coalesce(registered.is_birth_date_in_future, false) as is_birth_date_in_future,
        false as is_unknown,
        profiles.shop_identity_count > 0 as has_shop,
        profiles.crm_identity_count > 0 as has_crm,
        profiles.web_identity_count > 0 as has_web,
        registered.birth_date,
        coalesce(registered.interest_count, 0) as interest_count,
        coalesce(registered.registration_count, 0) as registration_count,
        profiles.identity_count,
        registered.first_registered_at as registered_at,
        profiles.first_seen_at,
        profiles.updated_at
    from profiles
    left join registered
        on profiles.customer_id = registered.customer_id
    left join locations
        on profiles.customer_id = locations.customer_id
),

with_unknown as (
    select * from persons
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
        false as has_shop,
        false as has_crm,
        false as has_web,
        null as birth_date,
        0 as interest_count,
        0 as registration_count,
        0 as identity_count,
        null as registered_at,
        null as first_seen_at,
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
        cast(has_shop as boolean) as has_shop,
        cast(has_crm as boolean) as has_crm,
        cast(has_web as boolean) as has_web,
        cast(birth_date as date) as birth_date,
        cast(interest_count as integer) as interest_count,
        cast(registration_count as integer) as registration_count,
        cast(identity_count as integer) as identity_count,
        cast(registered_at as timestamptz) as registered_at,
        cast(first_seen_at as timestamptz) as first_seen_at,
        cast(updated_at as timestamptz) as updated_at
    from with_unknown
)

select * from final
