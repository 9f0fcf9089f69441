{{ config(dist='all', sort=['campaign_id']) }}

with

campaigns as (
    select * from {{ ref('dim_campaigns') }}
),

channels as (
    select * from {{ ref('dim_channels') }}
),

touches as (
    select * from {{ ref('fct_campaign_touches') }}
),

order_touches as (
    select * from {{ ref('bridge_order_touches') }}
),

orders as (
    select * from {{ ref('fct_orders') }}
),

spent as (
    select
        campaign_id,
        count(*) as touch_count,
        count(case when is_response then 1 end) as response_count,
        sum(cost_amount) as cost_amount
    from touches
    group by campaign_id
),

earned as (
    select
        order_touches.campaign_id,
        count(distinct order_touches.order_id) as order_count,
        sum(orders.net_revenue_amount_eur * order_touches.first_touch_weight) as first_touch,
        sum(orders.net_revenue_amount_eur * order_touches.last_touch_weight) as last_touch,
        sum(orders.net_revenue_amount_eur * order_touches.linear_weight) as linear
    from order_touches
    inner join orders
        on order_touches.order_id = orders.order_id
    group by order_touches.campaign_id
),

combined as (
    select
        campaigns.campaign_id,
        campaigns.campaign_name,
        channels.channel_name,
        campaigns.budget_amount,
        cast(coalesce(spent.touch_count, 0) as bigint) as touch_count,
        cast(coalesce(spent.response_count, 0) as bigint) as response_count,
        cast(coalesce(spent.cost_amount, 0) as numeric(18, 6)) as cost_amount,
        cast(coalesce(earned.order_count, 0) as bigint) as order_count,
        cast(coalesce(earned.first_touch, 0) as numeric(18, 6)) as first_touch_revenue_eur,
        cast(coalesce(earned.last_touch, 0) as numeric(18, 6)) as last_touch_revenue_eur,
        cast(coalesce(earned.linear, 0) as numeric(18, 6)) as linear_revenue_eur
    from campaigns
    inner join channels
        on campaigns.channel = channels.channel_code
    left join spent
        on campaigns.campaign_id = spent.campaign_id
    left join earned
        on campaigns.campaign_id = earned.campaign_id
),

final as (
    select
        campaign_id,
        campaign_name,
        channel_name,
        budget_amount,
        touch_count,
        response_count,
        {{ ratio('response_count', 'touch_count') }} as response_rate,
        cost_amount,
        order_count,
        first_touch_revenue_eur,
        last_touch_revenue_eur,
        linear_revenue_eur,
        {{ ratio('linear_revenue_eur', 'cost_amount') }} as linear_revenue_per_cost
    from combined
)

select * from final
