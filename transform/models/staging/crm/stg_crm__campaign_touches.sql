with

source as (
    select *
    from {{ source('crm', 'campaign_touches') }}
    where _sdc_deleted_at is null
),

renamed as (
    select
        -- ids
        touch_id,
        campaign_id,
        contact_id,

        -- text
        kind as touch_kind,
        lower({{ clean_text('device') }}) as device_type,
        {{ clean_text('"landing page"') }} as landing_page,

        -- numerics
        cost as cost_amount,

        -- documents
        payload,

        -- timestamps
        {{ utc_to_instant('touched_at') }} as touched_at,
        {{ utc_to_instant('updated_at') }} as updated_at,
        _sdc_received_at as loaded_at
    from source
)

select * from renamed
