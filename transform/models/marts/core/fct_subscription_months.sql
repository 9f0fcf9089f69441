{{ config(dist='customer_id', sort=['month_date_key']) }}

with

months as (
    select * from {{ ref('int_subscriptions_recurred') }}
),

identities as (
    select * from {{ ref('int_identities_clustered') }}
    where source_entity = 'contacts'
),

exchange_rates as (
    select * from {{ ref('exchange_rates') }}
),

final as (
    select
        cast(months.subscription_id as bigint) as subscription_id,
        cast(coalesce(identities.customer_id, {{ unknown_id() }}) as bigint) as customer_id,
        cast({{ date_key('months.month_start_date') }} as integer) as month_date_key,
        months.plan_name,
        months.currency_code,
        cast(months.month_number as integer) as month_number,
        months.is_first_month,
        months.is_last_month,
        cast(months.monthly_recurring_amount as numeric(18, 6)) as monthly_recurring_amount,
        {{ in_eur('months.monthly_recurring_amount', 'months.currency_code',
            'exchange_rates.eur_rate') }} as monthly_recurring_amount_eur
    from months
    left join identities
        on cast(months.contact_id as varchar(256)) = identities.source_id
    left join exchange_rates
        on
            months.currency_code = exchange_rates.currency_code
            and months.month_start_date = exchange_rates.month_start_date
)

select * from final
