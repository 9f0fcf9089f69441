with

source as (
    select *
    from {{ source('shop', 'order_items') }}
    where _sdc_deleted_at is null and quantity = 0
),

renamed as (
    select
        -- ids
        order_id,
        line_number,

        -- text
        'no-quantity' as rejected_by,

        -- timestamps
        updated_at,
        _sdc_received_at as loaded_at
    from source
)

select * from renamed
