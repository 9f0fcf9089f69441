with

source as (
    select *
    from {{ source('crm', 'campaigns') }}
    where _sdc_deleted_at is null
),

renamed as (
    select
        -- ids
        campaign_id,

        -- text
        {{ clean_text('name') }} as campaign_name,
        channel,
        nullif(audience, '') as audience,

        -- numerics
        nullif(fiscal_year, 0) as fiscal_year,
        budget as budget_amount,
        weekdays as weekday_bits,
        {{ clock_seconds('sends_at') }} as sends_at_seconds,

        -- booleans
        started_on is null as is_draft,

        -- dates and timestamps
        started_on as started_date,
        ended_on as ended_date,
        {{ utc_to_instant('created_at') }} as created_at,
        updated_at,
        _sdc_received_at as loaded_at
    from source
)

select * from renamed
