with

source as (
    select *
    from {{ source('shop', 'inventory_movements') }}
    where _sdc_deleted_at is null
),

renamed as (
    select
        -- ids
        product_id,

        -- text
        lower({{ clean_text('warehouse') }}) as warehouse_name,
        lower({{ clean_text('reason') }}) as movement_reason,

        -- numerics
        quantity,

        -- timestamps
        moved_at,
        _sdc_received_at as loaded_at
    from source
),

-- The table has no key, and equal rows are different movements: they are told apart by counting.
numbered as (
    select
        *,
        row_number() over (
            partition by product_id, warehouse_name, movement_reason, quantity, moved_at
            order by loaded_at
        ) as occurrence
    from renamed
)

select * from numbered
