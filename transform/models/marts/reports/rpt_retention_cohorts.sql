{{ config(dist='all', sort=['cohort_month']) }}

with

orders as (
    select * from {{ ref('fct_orders') }}
),

dates as (
    select * from {{ ref('dim_dates') }}
),

customers as (
    select distinct customer_id
    from {{ ref('dim_customers') }}
    where not is_unknown
),

bought as (
    select distinct
        orders.customer_id,
        dates.calendar_year * 12 + dates.month_of_year as month_number,
        dates.month_start_date
    from orders
    inner join customers
        on orders.customer_id = customers.customer_id
    inner join dates
        on orders.ordered_date_key = dates.date_key
    where orders.order_status != 'cancelled' and not dates.is_unknown
),

placed as (
    select
        *,
        min(month_number) over (partition by customer_id) as first_month_number,
        min(month_start_date) over (partition by customer_id) as cohort_month
    from bought
),

counted as (
    select
        cohort_month,
        month_number - first_month_number as months_since_first,
        count(*) as customer_count
    from placed
    group by cohort_month, month_number - first_month_number
),

sized as (
    select
        *,
        max(case when months_since_first = 0 then customer_count end) over (
            partition by cohort_month
        ) as cohort_size
    from counted
),

final as (
    select
        cohort_month,
        cast(months_since_first as integer) as months_since_first,
        cast(cohort_size as bigint) as cohort_size,
        cast(customer_count as bigint) as customer_count,
        {{ ratio('customer_count', 'cohort_size') }} as retention_rate
    from sized
)

select * from final
