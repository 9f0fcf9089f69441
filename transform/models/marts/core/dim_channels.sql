{{ config(dist='all', sort=['channel_code']) }}

with

orders as (
    select * from {{ ref('int_orders_completed') }}
),

campaigns as (
    select * from {{ ref('stg_crm__campaigns') }}
),

tickets as (
    select * from {{ ref('stg_web__support_tickets') }}
),

channels as (
    select * from {{ ref('channels') }}
),

used as (
    select
        sales_channel as channel_code,
        'sales' as used_for
    from orders
    union all
    select
        channel as channel_code,
        'marketing' as used_for
    from campaigns
    union all
    select
        channel as channel_code,
        'support' as used_for
    from tickets
    union all
    select
        channel_code,
        'named' as used_for
    from channels
),

purposes as (
    select
        channel_code,
        max(case when used_for = 'sales' then 1 else 0 end) as sales_use,
        max(case when used_for = 'marketing' then 1 else 0 end) as marketing_use,
        max(case when used_for = 'support' then 1 else 0 end) as support_use
    from used
    where channel_code is not null
    group by channel_code
),

final as (
    select
        cast(purposes.channel_code as varchar(32)) as channel_code,
        cast(coalesce(channels.channel_name, purposes.channel_code) as varchar(64))
            as channel_name,
        cast(coalesce(channels.channel_group, 'other') as varchar(16)) as channel_group,
        purposes.sales_use = 1 as is_for_sales,
        purposes.marketing_use = 1 as is_for_marketing,
        purposes.support_use = 1 as is_for_support,
        purposes.channel_code = 'unknown' as is_unknown
    from purposes
    left join channels
        on purposes.channel_code = channels.channel_code
)

select * from final
