with

source as (
    select *
    from {{ source('web', 'sessions') }}
    where _sdc_deleted_at is null
),

renamed as (
    select
        -- ids
        _id as session_id,
        {{ field_text('visitor', 'user_id') }} as shop_customer_number,

        -- text
        {{ clean_email(field_text('visitor', 'email')) }} as email,
        {{ clean_phone(field_text('visitor', 'phone')) }} as phone,
        lower({{ clean_text(field_text('device')) }}) as device_type,
        {{ clean_text(field_text('country')) }} as country_as_entered,
        {{ country_code(field_text('country')) }} as country_code,
        {{ clean_text(field_text('referrer')) }} as referrer,
        {{ clean_text(field_text('utm_campaign')) }} as utm_campaign,

        -- numerics
        page_views as page_view_count,
        {{ field_number(field_text('load_seconds'), 18, 6) }} as load_seconds,

        -- documents
        events,

        -- timestamps
        started_at,
        ended_at,
        updated_at,
        _sdc_received_at as loaded_at
    from source
)

select * from renamed
