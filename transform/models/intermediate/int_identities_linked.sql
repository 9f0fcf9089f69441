{{ config(dist='identifier', sort=['identifier']) }}

with

identities as (
    select * from {{ ref('int_identities_gathered') }}
),

addresses as (
    select * from {{ ref('stg_shop__addresses') }}
),

-- An address that many people give is a team's or a placeholder, and identifies none of them.
shared_emails as (
    select match_email
    from identities
    where match_email is not null
    group by match_email
    having count(distinct given_name) > {{ var('identity_most_names') }}
),

-- Who gives no name is whoever else is known by the number, if that is one.
only_names as (
    select
        phone,
        min(given_name) as given_name
    from identities
    where phone is not null
    group by phone
    having count(distinct given_name) = 1
),

-- Of all systems the shop alone knows where people live.
homes as (
    select distinct
        identities.identity_id,
        {{ folded('identities.full_name') }}
        || ' ' || cast(identities.birth_date as varchar(10))
        || ' ' || {{ address_token('addresses.postal_code', 'addresses.street') }}
            as identifier_value
    from identities
    inner join addresses
        on identities.source_id = cast(addresses.customer_id as varchar(256))
    where identities.source_entity = 'customers'
),

identifiers as (
    select
        identity_id,
        'identity' as identifier_kind,
        identity_id as identifier_value
    from identities
    union all
    select
        identity_id,
        'login' as identifier_kind,
        'shop.customers:' || shop_customer_number as identifier_value
    from identities
    where shop_customer_number is not null
    union all
    select
        identities.identity_id,
        'email' as identifier_kind,
        identities.match_email as identifier_value
    from identities
    left join shared_emails
        on identities.match_email = shared_emails.match_email
    where identities.match_email is not null and shared_emails.match_email is null
    union all
    -- A household has one number: only with the given name it tells who.
    select
        identities.identity_id,
        'phone' as identifier_kind,
        identities.phone || ' ' || coalesce(identities.given_name, only_names.given_name)
            as identifier_value
    from identities
    left join only_names
        on identities.phone = only_names.phone
    where
        identities.phone is not null
        and coalesce(identities.given_name, only_names.given_name) is not null
    union all
    -- A family shares an address, father and son a name: only with the birth date they tell who.
    select
        identity_id,
        'address' as identifier_kind,
        identifier_value
    from homes
    where identifier_value is not null
),

final as (
    select
        identity_id,
        identifier_kind,
        case identifier_kind when 'login' then 'identity' else identifier_kind end
        || ' ' || identifier_value as identifier
    from identifiers
)

select * from final
