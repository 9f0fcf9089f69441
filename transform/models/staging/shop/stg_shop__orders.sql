with

source as (
    select *
    from {{ source('shop', 'orders') }}
    where _sdc_deleted_at is null
),

renamed as (
    select
        -- ids
        order_id,
        cast(order_uuid as varchar(36)) as order_uuid,
        customer_id,

        -- text
        status as order_status,
        coalesce(lower({{ clean_text('channel') }}), 'unknown') as sales_channel,
        {{ clean_text('currency') }} as currency_as_entered,
        {{ currency_code('currency') }} as currency_code,
        {{ clean_text(without_markup('shipping_note')) }} as shipping_note,

        -- booleans
        coalesce(promised_on > {{ business_date('ordered_at') }} + 365, false)
            as is_promised_date_in_far_future,

        -- dates and timestamps
        case
            when promised_on <= {{ business_date('ordered_at') }} + 365 then promised_on
        end as promised_date,
        ordered_at,
        updated_at,
        _sdc_received_at as loaded_at
    from source
)

select * from renamed
