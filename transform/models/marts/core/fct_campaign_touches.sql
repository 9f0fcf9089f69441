{{ config(dist='customer_id', sort=['touched_date_key']) }}

with

touches as (
    select * from {{ ref('stg_crm__campaign_touches') }}
),

campaigns as (
    select * from {{ ref('stg_crm__campaigns') }}
),

identities as (
    select * from {{ ref('int_identities_clustered') }}
    where source_entity = 'contacts'
),

versions as (
    select * from {{ ref('int_customers_versioned') }}
),

final as (
    select
        cast(touches.touch_id as numeric(20, 0)) as touch_id,
        cast(coalesce(campaigns.campaign_id, {{ unknown_id() }}) as integer) as campaign_id,
        cast(coalesce(versions.customer_key, {{ unknown_id() }}) as bigint) as customer_key,
        cast(coalesce(identities.customer_id, {{ unknown_id() }}) as bigint) as customer_id,
        cast({{ date_key(business_date('touches.touched_at')) }} as integer) as touched_date_key,
        touches.touch_kind,
        coalesce(touches.device_type, 'unknown') as device_type,
        touches.landing_page,
        touches.touch_kind in ('opened', 'clicked') as is_response,
        cast(touches.cost_amount as numeric(12, 6)) as cost_amount,
        cast(touches.touched_at as timestamptz) as touched_at
    from touches
    left join campaigns
        on touches.campaign_id = campaigns.campaign_id
    left join identities
        on cast(touches.contact_id as varchar(256)) = identities.source_id
    left join versions
        on
            identities.customer_id = versions.customer_id
            and {{ is_valid_at('versions', 'touches.touched_at') }}
)

select * from final
