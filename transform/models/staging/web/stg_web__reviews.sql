with

source as (
    select *
    from {{ source('web', 'reviews') }}
    where _sdc_deleted_at is null
),

-- The address stands beside the author, or within.
located as (
    select
        *,
        {{ first_of(field_text('email'), field_text('author', 'email')) }} as email_as_entered
    from source
),

renamed as (
    select
        -- ids
        _id_type || ':' || _id as review_id,
        cast({{ field_number(field_text('product_id'), 19, 0) }} as bigint) as product_id,

        -- text
        {{ clean_text(
            without_markup(first_of(field_text('author', 'name'), field_text('author')))
        ) }} as author_name,
        {{ clean_email('email_as_entered') }} as email,
        {{ clean_text(without_markup(field_text('text'))) }} as review_text,
        {{ field_text('rating') }} as rating_as_entered,
        {{ field_text('price_paid') }} as price_paid_as_entered,

        -- numerics
        {{ field_number(replace_all(field_text('rating'), ' stars?$', ''), 3, 1) }} as rating,
        {{ field_number(field_text('price_paid'), 18, 6) }} as price_paid,
        cast({{ field_number(field_text('votes', 'en.helpful'), 9, 0) }} as integer)
            as helpful_count,
        cast({{ field_number(field_text('votes', 'en.unhelpful'), 9, 0) }} as integer)
            as unhelpful_count,

        -- booleans
        {{ is_nulled('email_as_entered', clean_email('email_as_entered')) }} as is_email_invalid,

        -- timestamps
        bought_on as bought_at,
        created_at,
        updated_at,
        _sdc_received_at as loaded_at
    from located
)

select * from renamed
