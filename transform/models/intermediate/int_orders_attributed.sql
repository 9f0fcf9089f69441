{{ config(dist='order_id', sort=['order_id']) }}

with

orders as (
    select * from {{ ref('int_orders_completed') }}
    where order_status not in ('cancelled', 'unknown') and customer_id != {{ unknown_id() }}
),

touches as (
    select * from {{ ref('stg_crm__campaign_touches') }}
    where touch_kind in ('opened', 'clicked')
),

identities as (
    select * from {{ ref('int_identities_clustered') }}
    where source_entity = 'contacts'
),

answers as (
    select
        touches.touch_id,
        touches.campaign_id,
        touches.touched_at,
        identities.customer_id
    from touches
    inner join identities
        on cast(touches.contact_id as varchar(256)) = identities.source_id
),

credited as (
    select
        orders.order_id,
        orders.customer_id,
        orders.ordered_date_key,
        answers.touch_id,
        answers.campaign_id,
        answers.touched_at,
        row_number() over (
            partition by orders.order_id order by answers.touched_at, answers.touch_id
        ) as touch_number,
        count(*) over (partition by orders.order_id) as touch_count
    from orders
    inner join answers
        on
            orders.customer_id = answers.customer_id
            and orders.ordered_at >= answers.touched_at
            and {{ seconds_between('answers.touched_at', 'orders.ordered_at') }}
            <= 86400 * {{ var('attribution_days') }}
),

shared as (
    select
        *,
        cast({{ ratio('1', 'touch_count') }} as numeric(7, 6)) as equal_share
    from credited
),

-- The last touch takes what an equal share leaves over, so that weights add up to 1.
final as (
    select
        order_id,
        touch_id,
        campaign_id,
        customer_id,
        ordered_date_key,
        touch_number,
        touch_count,
        case when touch_number = 1 then 1 else 0 end as first_touch_weight,
        case when touch_number = touch_count then 1 else 0 end as last_touch_weight,
        cast(
            case
                when touch_number = touch_count then 1 - (touch_count - 1) * equal_share
                else equal_share
            end as numeric(7, 6)
        ) as linear_weight,
        touched_at
    from shared
)

select * from final
