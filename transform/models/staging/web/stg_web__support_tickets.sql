with

source as (
    select *
    from {{ source('web', 'support_tickets') }}
    where _sdc_deleted_at is null
),

-- What other columns depend on.
reduced as (
    select
        *,
        {{ clean_email(field_text('requester', 'email')) }} as email_address,
        {{ phone_digits(field_text('requester', 'phone')) }} as phone_digits,
        {{ country_code(field_text('requester', 'country')) }} as iso_country
    from source
),

renamed as (
    select
        -- ids
        _id_type || ':' || _id as ticket_id,

        -- text
        {{ clean_text(without_markup(field_text('requester', 'name'))) }} as requester_name,
        email_address as email,
        {{ clean_phone('phone_digits', 'iso_country') }} as phone,
        {{ clean_text(field_text('requester', 'country')) }} as country_as_entered,
        iso_country as country_code,
        {{ clean_text(without_markup(field_text('subject'))) }} as subject,
        lower({{ clean_text(field_text('channel')) }}) as channel,
        case lower({{ clean_text(field_text('priority')) }})
            when '1' then 'high'
            when '2' then 'normal'
            when '3' then 'low'
            else lower({{ clean_text(field_text('priority')) }})
        end as priority,
        lower({{ clean_text(field_text('status')) }}) as ticket_status,
        {{ clean_text(first_of(field_text('agent', 'name'), field_text('agent'))) }} as agent_name,
        {{ field_text('satisfaction') }} as satisfaction_as_entered,
        {{ field_text('refund') }} as refund_as_entered,

        -- numerics
        {{ field_number(field_text('satisfaction'), 3, 1) }} as satisfaction_score,
        {{ field_number(field_text('refund'), 18, 6) }} as refund_amount,
        {{ list_length('tags') }} as tag_count,
        {{ json_length(as_json('history')) }} as status_change_count,

        -- booleans
        {{ is_nulled(field_text('requester', 'email'), 'email_address') }} as is_email_invalid,
        {{ is_nulled(
            field_text('requester', 'phone'), clean_phone('phone_digits', 'iso_country')
        ) }} as is_phone_invalid,
        coalesce(resolved_at < opened_at, false) as is_resolved_before_opened,

        -- timestamps
        opened_at,
        first_response_at,
        case when resolved_at >= opened_at then resolved_at end as resolved_at,
        updated_at,
        _sdc_received_at as loaded_at
    from reduced
)

select * from renamed
