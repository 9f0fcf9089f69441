with

source as (
    select *
    from {{ source('shop', 'payments') }}
    where _sdc_deleted_at is null
),

renamed as (
    select
        -- ids
        payment_id,
        order_id,

        -- text
        lower({{ clean_text('method') }}) as payment_method,
        lower({{ clean_text('status') }}) as payment_status,

        -- numerics
        amount,

        -- timestamps
        paid_at,
        updated_at,
        _sdc_received_at as loaded_at
    from source
)

select * from renamed
