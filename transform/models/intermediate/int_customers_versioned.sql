{{ config(dist='customer_id', sort=['customer_id', 'valid_from']) }}

{% set values_of_a_registration = [
    'external_id', 'loyalty_tier', 'preferred_language', 'is_newsletter_subscriber',
    'is_birth_date_in_future', 'birth_date', 'interests',
] %}

with

customers as (
    select * from {{ ref('stg_shop__customers') }}
),

history as (
    select * from {{ ref('snap_shop__customers') }}
),

registrations as (
    select * from {{ ref('int_customers_deduplicated') }}
),

profiles as (
    select * from {{ ref('int_customers_profiled') }}
),

-- The registration as it is now is read from its source: a correction that moved no clock counts.
states as (
    select
        customer_id,
        {{ values_of_a_registration | join(', ') }},
        updated_at
    from customers
    union all
    select
        history.customer_id,
        history.{{ values_of_a_registration | join(', history.') }},
        history.updated_at
    from history
    inner join customers
        on
            history.customer_id = customers.customer_id
            and history.updated_at < customers.updated_at
),

-- A person has the values of the registration that changed last.
ranked as (
    select
        registrations.surviving_customer_id,
        states.*,
        row_number() over (
            partition by registrations.surviving_customer_id, states.updated_at
            order by states.customer_id desc
        ) as preference
    from states
    inner join registrations
        on states.customer_id = registrations.customer_id
),

numbered as (
    select
        profiles.customer_id,
        ranked.{{ values_of_a_registration | join(', ranked.') }},
        ranked.updated_at,
        row_number() over (
            partition by profiles.customer_id order by ranked.updated_at
        ) as version_number,
        lead(ranked.updated_at) over (
            partition by profiles.customer_id order by ranked.updated_at
        ) as next_updated_at
    from profiles
    left join ranked
        on
            profiles.customer_id = ranked.surviving_customer_id
            and ranked.preference = 1
),

final as (
    select
        {{ version_key('customer_id', 'version_number') }} as customer_key,
        customer_id,
        {{ values_of_a_registration | join(', ') }},
        next_updated_at is null as is_current,
        case when version_number = 1 then {{ first_instant() }} else updated_at end as valid_from,
        coalesce(next_updated_at, {{ last_instant() }}) as valid_to
    from numbered
)

select * from final
