with

source as (
    select *
    from {{ source('shop', 'customers') }}
    where
        _sdc_deleted_at is null
        and not {{ is_test_account('email', 'full_name') }}
),

-- What other columns depend on.
reduced as (
    select
        *,
        {{ clean_email('email') }} as email_address,
        {{ phone_digits('phone') }} as phone_digits,
        {{ country_code('country') }} as iso_country
    from source
),

renamed as (
    select
        -- ids
        customer_id,
        cast(external_id as varchar(36)) as external_id,

        -- text
        email_address as email,
        {{ clean_text(without_markup('full_name')) }} as full_name,
        {{ clean_phone('phone_digits', 'iso_country') }} as phone,
        {{ clean_text('country') }} as country_as_entered,
        iso_country as country_code,
        loyalty_tier,
        {{ json_text('preferences', 'language') }} as preferred_language,

        -- documents
        preferences,
        interests,

        -- booleans
        coalesce(is_newsletter, false) as is_newsletter_subscriber,
        {{ is_nulled('email', 'email_address') }} as is_email_invalid,
        {{ is_nulled('phone', clean_phone('phone_digits', 'iso_country')) }} as is_phone_invalid,
        coalesce(birth_date > {{ business_date('updated_at') }}, false)
            as is_birth_date_in_future,

        -- dates and timestamps
        case
            when birth_date <= {{ business_date('updated_at') }} then birth_date
        end as birth_date,
        created_at,
        updated_at,
        _sdc_received_at as loaded_at
    from reduced
)

select * from renamed
