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

versions as (
    select * from {{ ref('int_customers_versioned') }}
),

-- What only the shop knows has versions, whose gaps the first registration fills.
persons as (
    select
        versions.customer_key,
        profiles.customer_id,
        versions.external_id,
        profiles.email,
        profiles.full_name,
        profiles.phone,
        coalesce(profiles.country_code, locations.country_code, 'ZZ') as country_code,
        locations.city,
        locations.postal_code,
        coalesce(versions.loyalty_tier, 'none') as loyalty_tier,
        coalesce(versions.preferred_language, first_entry.preferred_language) as preferred_language,
        coalesce(versions.is_newsletter_subscriber, false) as is_newsletter_subscriber,
        coalesce(versions.is_birth_date_in_future, false) as is_birth_date_in_future,
        versions.is_current,
        false as is_unknown,
        profiles.shop_identity_count > 0 as has_shop,
        profiles.crm_identity_count > 0 as has_crm,
        profiles.web_identity_count > 0 as has_web,
        coalesce(versions.birth_date, first_entry.birth_date) as birth_date,
        {{ json_length('versions.interests') }} as interest_count,
        coalesce(registrations.registration_count, 0) as registration_count,
        profiles.identity_count,
        versions.valid_from,
        versions.valid_to,
        registrations.first_registered_at as registered_at,
        profiles.first_seen_at,
        profiles.updated_at
    from profiles
    inner join versions
        on profiles.customer_id = versions.customer_id
    left join registrations
        on profiles.customer_id = registrations.customer_id
    left join customers as first_entry
        on profiles.customer_id = first_entry.customer_id
    left join locations
        on profiles.customer_id = locations.customer_id
),

with_unknown as (
    select * from persons
    union all
    select
        {{ unknown_id() }} as customer_key,
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
        true as is_current,
        true as is_unknown,
        false as has_shop,
        false as has_crm,
        false as has_web,
        null as birth_date,
        0 as interest_count,
        0 as registration_count,
        0 as identity_count,
        {{ first_instant() }} as valid_from,
        {{ last_instant() }} as valid_to,
        null as registered_at,
        null as first_seen_at,
        null as updated_at
),

final as (
    select
        cast(customer_key as bigint) as customer_key,
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
        cast(is_current as boolean) as is_current,
        cast(is_unknown as boolean) as is_unknown,
        cast(has_shop as boolean) as has_shop,
        cast(has_crm as boolean) as has_crm,
        cast(has_web as boolean) as has_web,
        cast(birth_date as date) as birth_date,
        cast(interest_count as integer) as interest_count,
        cast(registration_count as integer) as registration_count,
        cast(identity_count as integer) as identity_count,
        cast(valid_from as timestamptz) as valid_from,
        cast(valid_to as timestamptz) as valid_to,
        cast(registered_at as timestamptz) as registered_at,
        cast(first_seen_at as timestamptz) as first_seen_at,
        cast(updated_at as timestamptz) as updated_at
    from with_unknown
)

select * from final
