with

source as (
    select *
    from {{ source('shop', 'storevisits') }}
    where _sdc_deleted_at is null
),

renamed as (
    select
        -- ids
        visitid as store_visit_id,
        "order" as order_id,

        -- text
        lower({{ clean_text('"group"') }}) as visitor_group,

        -- timestamps
        {{ local_to_utc('"visited at"') }} as visited_at,
        updated_at,
        _sdc_received_at as loaded_at
    from source
)

select * from renamed
