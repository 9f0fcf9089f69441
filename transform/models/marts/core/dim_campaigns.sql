{{ config(dist='all', sort=['campaign_id']) }}

with

campaigns as (
    select * from {{ ref('stg_crm__campaigns') }}
),

with_unknown as (
    select
        campaign_id,
        campaign_name,
        channel,
        audience,
        fiscal_year,
        budget_amount,
        is_draft,
        false as is_unknown,
        started_date,
        ended_date,
        updated_at
    from campaigns
    union all
    select
        {{ unknown_id() }} as campaign_id,
        'Unknown' as campaign_name,
        'unknown' as channel,
        null as audience,
        null as fiscal_year,
        null as budget_amount,
        false as is_draft,
        true as is_unknown,
        null as started_date,
        null as ended_date,
        null as updated_at
),

final as (
    select
        cast(campaign_id as integer) as campaign_id,
        campaign_name,
        channel,
        audience,
        cast(fiscal_year as integer) as fiscal_year,
        cast(budget_amount as numeric(12, 2)) as budget_amount,
        cast(is_draft as boolean) as is_draft,
        cast(is_unknown as boolean) as is_unknown,
        cast(started_date as date) as started_date,
        cast(ended_date as date) as ended_date,
        cast(updated_at as timestamptz) as updated_at
    from with_unknown
)

select * from final
