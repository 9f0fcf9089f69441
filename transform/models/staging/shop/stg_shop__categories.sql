with

source as (
    select *
    from {{ source('shop', 'categories') }}
    where _sdc_deleted_at is null
),

renamed as (
    select
        -- ids
        category_id,
        parent_category_id,

        -- text
        {{ clean_name('name') }} as category_name,
        lower({{ clean_text('slug') }}) as category_slug,

        -- timestamps
        updated_at,
        _sdc_received_at as loaded_at
    from source
)

select * from renamed
