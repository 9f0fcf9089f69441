{{ config(dist='session_id', sort=['session_id']) }}

with

sessions as (
    select * from {{ ref('stg_web__sessions') }}
),

elements as (
    {{ unnest_array('sessions', 'session_id', 'events') }}
),

final as (
    select
        session_id,
        position as event_number,
        {{ field_text('document', 'type') }} as event_type,
        cast({{ field_number(field_text('document', 'product_id'), 19, 0) }} as bigint)
            as product_id,
        {{ field_number(field_text('document', 'value'), 18, 2) }} as amount
    from elements
)

select * from final
