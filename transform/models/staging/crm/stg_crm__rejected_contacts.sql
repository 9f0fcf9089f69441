with

source as (
    select *
    from {{ source('crm', 'contacts') }}
    where
        _sdc_deleted_at is null
        and {{ is_test_account('email', 'full_name') }}
),

renamed as (
    select
        -- ids
        contact_id,

        -- text
        'test-account' as rejected_by,

        -- timestamps
        updated_at,
        _sdc_received_at as loaded_at
    from source
)

select * from renamed
