with

source as (
    select *
    from {{ source('crm', 'accounts') }}
    where _sdc_deleted_at is null
),

renamed as (
    select
        -- ids
        account_id,
        account_uuid,

        -- text
        {{ clean_text('name') }} as account_name,
        {{ clean_text('country') }} as country_as_entered,
        {{ country_code('country') }} as country_code,
        segment as account_segment,
        case is_active
            when 1 then 'active'
            when 0 then 'inactive'
            when 2 then 'on hold'
            when -1 then 'blocked'
            else 'unknown'
        end as account_status,
        nullif(flags, '') as flags,
        {{ clean_text(without_markup('note')) }} as note,

        -- numerics
        employees as employee_count,
        nullif(founded, 0) as founded_year,
        annual_revenue as annual_revenue_amount,
        credit_limit as credit_limit_amount,
        -- Redshift reserves the word.
        "permissions" as permission_bits, -- noqa: RF06

        -- booleans
        coalesce(is_vip = 1, false) as is_vip,
        ',' || flags || ',' like '%,do not call,%' as is_not_to_be_called,

        -- dates and timestamps
        signed_on as signed_date,
        {{ utc_to_instant('created_at') }} as created_at,
        updated_at,
        _sdc_received_at as loaded_at
    from source
)

select * from renamed
