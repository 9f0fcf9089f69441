{{ config(dist='customer_id', sort=['started_date_key']) }}

{% set started_at = local_to_utc('cast(subscriptions.started_date as timestamp)') %}

with

subscriptions as (
    select * from {{ ref('int_subscriptions_invoiced') }}
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
        cast(subscriptions.subscription_id as bigint) as subscription_id,
        cast(coalesce(versions.customer_key, {{ unknown_id() }}) as bigint) as customer_key,
        cast(coalesce(identities.customer_id, {{ unknown_id() }}) as bigint) as customer_id,
        cast({{ date_key('subscriptions.started_date') }} as integer) as started_date_key,
        cast({{ date_key('subscriptions.cancelled_date') }} as integer) as cancelled_date_key,
        subscriptions.plan_name,
        subscriptions.subscription_status,
        subscriptions.currency_code,
        subscriptions.subscription_status in ('active', 'past_due') as is_running,
        subscriptions.is_auto_renewed,
        subscriptions.is_inferred,
        cast(subscriptions.seat_count as integer) as seat_count,
        cast(subscriptions.monthly_price as numeric(12, 2)) as monthly_price,
        cast(subscriptions.discount_rate as numeric(5, 4)) as discount_rate,
        cast(
            case
                when subscriptions.subscription_status in ('active', 'past_due')
                    then subscriptions.monthly_price * (1 - subscriptions.discount_rate)
                else 0
            end as numeric(18, 6)
        ) as monthly_recurring_amount,
        cast(subscriptions.invoice_count as integer) as invoice_count,
        cast(subscriptions.credit_note_count as integer) as credit_note_count,
        cast(subscriptions.invoiced_amount as numeric(18, 2)) as invoiced_amount,
        cast(subscriptions.paid_amount as numeric(18, 2)) as paid_amount,
        cast(subscriptions.last_paid_at as timestamptz) as last_paid_at,
        cast(subscriptions.updated_at as timestamptz) as updated_at
    from subscriptions
    left join identities
        on cast(subscriptions.contact_id as varchar(256)) = identities.source_id
    left join versions
        on
            identities.customer_id = versions.customer_id
            and {{ is_valid_at('versions', started_at) }}
)

select * from final
