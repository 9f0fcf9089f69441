{#- Documents are slow to read, so only those are read of which nothing stands here since they were
    loaded (decision 29). What compiles without a warehouse cannot tell which those are. #}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ delete_outdated(ref('stg_web__sessions'), 'session_id') }}",
    dist='session_id',
    sort=['session_id']
) }}

with

sessions as (
    select * from {{ ref('stg_web__sessions') }}
),

unread as (
    select
        session_id,
        loaded_at,
        events
    from sessions
    {% if flags.INTROSPECT != false and is_incremental() %}
        where
            not exists (
                select 1
                from {{ this }} as kept
                where kept.session_id = sessions.session_id
            )
    {% endif %}
),

elements as (
    {{ unnest_array('unread', ['session_id', 'loaded_at'], 'events') }}
),

final as (
    select
        session_id,
        position as event_number,
        {{ field_text('document', 'type') }} as event_type,
        cast({{ field_number(field_text('document', 'product_id'), 19, 0) }} as bigint)
            as product_id,
        {{ field_number(field_text('document', 'value'), 18, 2) }} as amount,
        loaded_at
    from elements
)

select * from final
