with

source as (
    select *
    from {{ source('shop', 'addresses') }}
    where _sdc_deleted_at is null
),

renamed as (
    select
        -- ids
        address_id,
        customer_id,

        -- text
        lower({{ clean_text('kind') }}) as address_kind,
        {{ clean_text(without_markup('street')) }} as street,
        {{ clean_name('city') }} as city,
        upper({{ clean_text('postal_code') }}) as postal_code,
        {{ clean_text('country') }} as country_as_entered,
        {{ country_code('country') }} as country_code,

        -- booleans
        is_default,

        -- timestamps
        updated_at,
        _sdc_received_at as loaded_at
    from source
)

select * from renamed
