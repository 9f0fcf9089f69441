with

source as (
    select *
    from {{ source('crm', 'subscriptions') }}
    where _sdc_deleted_at is null
),

renamed as (
    select
        -- ids
        subscription_id,
        contact_id,

        -- text
        lower({{ clean_text('plan') }}) as plan_name,
        status as subscription_status,
        {{ clean_text('currency') }} as currency_as_entered,
        {{ currency_code('currency') }} as currency_code,

        -- numerics
        monthly_price,
        discount_rate,
        seats as seat_count,

        -- booleans
        auto_renew = 1 as is_auto_renewed,

        -- dates and timestamps
        started_on as started_date,
        cancelled_on as cancelled_date,
        {{ utc_to_instant('updated_at') }} as updated_at,
        _sdc_received_at as loaded_at
    from source
)

select * from renamed
