{{ config(dist='customer_id', sort=['started_date_key']) }}

with

sessions as (
    select * from {{ ref('stg_web__sessions') }}
),

events as (
    select * from {{ ref('int_web_events_unnested') }}
),

identities as (
    select * from {{ ref('int_identities_clustered') }}
    where source_entity = 'sessions'
),

campaigns as (
    select * from {{ ref('stg_crm__campaigns') }}
),

event_totals as (
    select
        session_id,
        count(*) as event_count,
        count(case when event_type = 'view' then 1 end) as view_count,
        count(case when event_type = 'search' then 1 end) as search_count,
        count(case when event_type = 'add_to_cart' then 1 end) as add_to_cart_count,
        count(case when event_type = 'checkout' then 1 end) as checkout_count,
        count(case when event_type = 'purchase' then 1 end) as purchase_count,
        sum(case when event_type = 'purchase' then amount end) as purchase_amount
    from events
    group by session_id
),

-- A link names its campaign by name or by number; of two with one name the later is meant.
campaign_words as (
    select
        cast(campaign_id as varchar(256)) as word,
        campaign_id
    from campaigns
    union all
    select
        lower(campaign_name) as word,
        max(campaign_id) as campaign_id
    from campaigns
    group by lower(campaign_name)
),

words as (
    select
        word,
        min(campaign_id) as campaign_id
    from campaign_words
    group by word
),

versions as (
    select * from {{ ref('int_customers_versioned') }}
),

final as (
    select
        sessions.session_id,
        cast(coalesce(versions.customer_key, {{ unknown_id() }}) as bigint) as customer_key,
        cast(coalesce(identities.customer_id, {{ unknown_id() }}) as bigint) as customer_id,
        cast(coalesce(words.campaign_id, {{ unknown_id() }}) as integer) as campaign_id,
        cast({{ date_key(business_date('sessions.started_at')) }} as integer) as started_date_key,
        coalesce(sessions.device_type, 'unknown') as device_type,
        coalesce(sessions.country_code, 'ZZ') as country_code,
        sessions.referrer,
        identities.identity_id is null as is_anonymous,
        sessions.shop_customer_number is not null as is_logged_in,
        coalesce(event_totals.purchase_count, 0) > 0 as has_purchase,
        cast(sessions.page_view_count as bigint) as page_view_count,
        cast(coalesce(event_totals.event_count, 0) as integer) as event_count,
        cast(coalesce(event_totals.view_count, 0) as integer) as view_count,
        cast(coalesce(event_totals.search_count, 0) as integer) as search_count,
        cast(coalesce(event_totals.add_to_cart_count, 0) as integer) as add_to_cart_count,
        cast(coalesce(event_totals.checkout_count, 0) as integer) as checkout_count,
        cast(coalesce(event_totals.purchase_count, 0) as integer) as purchase_count,
        cast(coalesce(event_totals.purchase_amount, 0) as numeric(18, 2)) as purchase_amount,
        cast(sessions.load_seconds as numeric(18, 6)) as load_seconds,
        cast({{ seconds_between('sessions.started_at', 'sessions.ended_at') }} as numeric(18, 3))
            as duration_seconds,
        cast(sessions.started_at as timestamptz) as started_at,
        cast(sessions.ended_at as timestamptz) as ended_at
    from sessions
    left join event_totals
        on sessions.session_id = event_totals.session_id
    left join identities
        on sessions.session_id = identities.source_id
    left join words
        on lower(sessions.utm_campaign) = words.word
    left join versions
        on
            identities.customer_id = versions.customer_id
            and {{ is_valid_at('versions', 'sessions.started_at') }}
)

select * from final
