{{ config(dist='order_id', sort=['order_id']) }}

with

attributed as (
    select * from {{ ref('int_orders_attributed') }}
),

campaigns as (
    select * from {{ ref('stg_crm__campaigns') }}
),

final as (
    select
        cast(attributed.order_id as bigint) as order_id,
        cast(attributed.touch_id as numeric(20, 0)) as touch_id,
        cast(coalesce(campaigns.campaign_id, {{ unknown_id() }}) as integer) as campaign_id,
        cast(attributed.customer_id as bigint) as customer_id,
        cast(attributed.ordered_date_key as integer) as ordered_date_key,
        cast(attributed.touch_number as integer) as touch_number,
        cast(attributed.touch_count as integer) as touch_count,
        cast(attributed.first_touch_weight as numeric(7, 6)) as first_touch_weight,
        cast(attributed.last_touch_weight as numeric(7, 6)) as last_touch_weight,
        cast(attributed.linear_weight as numeric(7, 6)) as linear_weight
    from attributed
    left join campaigns
        on attributed.campaign_id = campaigns.campaign_id
)

select * from final
