with

source as (
    select *
    from {{ source('shop', 'refunds') }}
    where _sdc_deleted_at is null
),

renamed as (
    select
        -- ids
        refund_id,
        payment_id,

        -- text
        lower({{ clean_text('reason') }}) as refund_reason,

        -- numerics
        amount,

        -- timestamps
        refunded_at,
        updated_at,
        _sdc_received_at as loaded_at
    from source
)

select * from renamed
