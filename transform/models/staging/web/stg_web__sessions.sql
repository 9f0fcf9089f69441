with

source as (
    select *
    from {{ source('web', 'sessions') }}
    where _sdc_deleted_at is null
),

-- What other columns depend on.
reduced as (
    select
        *,
        {{ clean_email(field_text('visitor', 'email')) }} as email_address,
        {{ phone_digits(field_text('visitor', 'phone')) }} as phone_digits,
        {{ country_code(field_text('country')) }} as iso_country
    from source
),

renamed as (
    select
        -- ids
        _id as session_id,
        {{ field_text('visitor', 'user_id') }} as shop_customer_number,

        -- text
        email_address as email,
        {{ clean_phone('phone_digits', 'iso_country') }} as phone,
        lower({{ clean_text(field_text('device')) }}) as device_type,
        {{ clean_text(field_text('country')) }} as country_as_entered,
        iso_country as country_code,
        {{ clean_text(field_text('referrer')) }} as referrer,
        {{ clean_text(field_text('utm_campaign')) }} as utm_campaign,
        {{ field_text('load_seconds') }} as load_seconds_as_entered,

        -- numerics
        page_views as page_view_count,
        {{ field_number(field_text('load_seconds'), 18, 6) }} as load_seconds,

        -- documents
        events,

        -- booleans
        {{ is_nulled(field_text('visitor', 'email'), 'email_address') }} as is_email_invalid,
        {{ is_nulled(
            field_text('visitor', 'phone'), clean_phone('phone_digits', 'iso_country')
        ) }} as is_phone_invalid,

        -- timestamps
        started_at,
        ended_at,
        updated_at,
        _sdc_received_at as loaded_at
    from reduced
)

select * from renamed
