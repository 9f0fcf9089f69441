{{ config(dist='identity_id', sort=['identity_rank']) }}

with

customers as (
    select * from {{ ref('stg_shop__customers') }}
),

contacts as (
    select * from {{ ref('stg_crm__contacts') }}
),

sessions as (
    select * from {{ ref('stg_web__sessions') }}
),

reviews as (
    select * from {{ ref('stg_web__reviews') }}
),

tickets as (
    select * from {{ ref('stg_web__support_tickets') }}
),

-- Anything that names somebody, in the fixed order of systems; documents have no numbers.
entries as (
    select
        1 as system_order,
        'shop' as source_system,
        'customers' as source_entity,
        cast(customer_id as varchar(256)) as source_id,
        customer_id as source_number,
        cast(null as varchar(256)) as shop_customer_number,
        email,
        phone,
        full_name,
        birth_date,
        country_code,
        created_at as first_seen_at,
        updated_at
    from customers
    union all
    select
        2 as system_order,
        'crm' as source_system,
        'contacts' as source_entity,
        cast(contact_id as varchar(256)) as source_id,
        contact_id as source_number,
        null as shop_customer_number,
        email,
        phone,
        full_name,
        birth_date,
        country_code,
        created_at as first_seen_at,
        updated_at
    from contacts
    union all
    select
        3 as system_order,
        'web' as source_system,
        'sessions' as source_entity,
        session_id as source_id,
        null as source_number,
        shop_customer_number,
        email,
        phone,
        null as full_name,
        null as birth_date,
        country_code,
        started_at as first_seen_at,
        updated_at
    from sessions
    where coalesce(shop_customer_number, email, phone) is not null
    union all
    select
        3 as system_order,
        'web' as source_system,
        'reviews' as source_entity,
        review_id as source_id,
        null as source_number,
        null as shop_customer_number,
        email,
        null as phone,
        author_name as full_name,
        null as birth_date,
        null as country_code,
        created_at as first_seen_at,
        updated_at
    from reviews
    where email is not null
    union all
    select
        3 as system_order,
        'web' as source_system,
        'support_tickets' as source_entity,
        ticket_id as source_id,
        null as source_number,
        null as shop_customer_number,
        email,
        phone,
        requester_name as full_name,
        null as birth_date,
        country_code,
        opened_at as first_seen_at,
        updated_at
    from tickets
    where coalesce(email, phone) is not null
),

identified as (
    select
        *,
        source_system || '.' || source_entity || ':' || source_id as identity_id,
        {{ match_email('email') }} as match_email,
        {{ given_name('full_name') }} as given_name
    from entries
),

final as (
    select
        identity_id,
        source_system,
        source_entity,
        source_id,
        shop_customer_number,
        system_order,
        -- A system's own number, each system in a range of its own; documents have none, so a hash.
        case source_system
            when 'shop' then source_number
            when 'crm' then 1000000000000 + source_number
            else 4503599627370496 + {{ hash_number('identity_id') }}
        end as own_customer_id,
        row_number() over (
            order by system_order, source_number, first_seen_at, identity_id
        ) as identity_rank,
        email,
        match_email,
        phone,
        full_name,
        given_name,
        birth_date,
        country_code,
        first_seen_at,
        updated_at
    from identified
)

select * from final
