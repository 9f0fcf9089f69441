{{ config(dist='subscription_id', sort=['month_start_date']) }}

with

subscriptions as (
    select * from {{ ref('int_subscriptions_invoiced') }}
    where subscription_status in ('active', 'past_due', 'cancelled')
),

days as (
    select * from {{ ref('int_dates_spanned') }}
),

-- The clock of the data, not of who builds: how far the CRM told of any subscription.
known as (
    select max({{ business_date('updated_at') }}) as known_until
    from subscriptions
),

-- A month counts by its last day, the running month by the last day that is known.
months as (
    select
        {{ month_start('days.date_day') }} as month_start_date,
        max(days.date_day) as counted_date
    from days
    cross join known
    where days.date_day <= known.known_until
    group by {{ month_start('days.date_day') }}
),

recurred as (
    select
        subscriptions.*,
        months.month_start_date,
        months.counted_date
    from subscriptions
    inner join months
        on
            subscriptions.started_date <= months.counted_date
            and (
                subscriptions.cancelled_date > months.counted_date
                or (
                    subscriptions.cancelled_date is null
                    and subscriptions.subscription_status != 'cancelled'
                )
            )
),

numbered as (
    select
        *,
        row_number() over (
            partition by subscription_id order by month_start_date
        ) as month_number,
        row_number() over (
            partition by subscription_id order by month_start_date desc
        ) as months_to_last,
        max(month_start_date) over () as last_month
    from recurred
),

final as (
    select
        subscription_id,
        contact_id,
        plan_name,
        currency_code,
        month_number,
        month_number = 1 as is_first_month,
        months_to_last = 1 and month_start_date < last_month as is_last_month,
        cast(monthly_price * (1 - discount_rate) as numeric(18, 6)) as monthly_recurring_amount,
        month_start_date
    from numbered
)

select * from final
