with

source as (
    select *
    from {{ source('shop', 'customers') }}
    where _sdc_deleted_at is null
),

renamed as (
    select
        -- ids
        customer_id,
        cast(external_id as varchar(36)) as external_id,

        -- text
        {{ clean_email('email') }} as email,
        {{ clean_text('full_name') }} as full_name,
        {{ clean_phone('phone') }} as phone,
        {{ clean_text('country') }} as country_as_entered,
        {{ country_code('country') }} as country_code,
        loyalty_tier,
        {{ json_text('preferences', 'language') }} as preferred_language,

        -- documents
        preferences,
        interests,

        -- booleans
        coalesce(is_newsletter, false) as is_newsletter_subscriber,
        coalesce(birth_date > {{ business_date('updated_at') }}, false)
            as is_birth_date_in_future,

        -- dates and timestamps
        case
            when birth_date <= {{ business_date('updated_at') }} then birth_date
        end as birth_date,
        created_at,
        updated_at,
        _sdc_received_at as loaded_at
    from source
)

select * from renamed
