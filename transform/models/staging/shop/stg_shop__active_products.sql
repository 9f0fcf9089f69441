with

source as (
    select *
    from {{ source('shop', 'active_products') }}
    where _sdc_deleted_at is null
),

renamed as (
    select
        -- ids
        product_id,

        -- text
        {{ clean_sku('sku') }} as sku,
        {{ clean_text('name') }} as product_name,

        -- numerics
        unit_price,

        -- timestamps
        _sdc_received_at as loaded_at
    from source
)

select * from renamed
