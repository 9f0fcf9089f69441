with

source as (
    select *
    from {{ source('shop', 'products') }}
    where _sdc_deleted_at is null
),

renamed as (
    select
        -- ids
        product_id,
        category_id,

        -- text
        {{ clean_sku('sku') }} as sku,
        {{ clean_text('name') }} as product_name,
        lower({{ json_text('attributes', 'colour') }}) as colour,

        -- documents
        attributes,

        -- numerics
        unit_price,
        weight_kg,
        octet_length(thumbnail) as thumbnail_bytes,

        -- booleans
        is_active,
        coalesce(launched_on > {{ business_date('updated_at') }} + 365, false)
            as is_launched_date_in_far_future,

        -- dates and timestamps
        case
            when launched_on <= {{ business_date('updated_at') }} + 365 then launched_on
        end as launched_date,
        {{ local_to_utc('created_at') }} as created_at,
        updated_at,
        _sdc_received_at as loaded_at
    from source
)

select * from renamed
