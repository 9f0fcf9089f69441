{{ config(dist='all', sort=['month_start_date']) }}

with

order_items as (
    select * from {{ ref('fct_order_items') }}
),

dates as (
    select * from {{ ref('dim_dates') }}
),

products as (
    select * from {{ ref('dim_products_flattened') }}
),

final as (
    select
        dates.month_start_date,
        products.department_name,
        products.category_name,
        cast(count(distinct order_items.order_id) as bigint) as order_count,
        cast(sum(order_items.net_quantity) as bigint) as net_quantity,
        cast(sum(order_items.revenue_amount_eur) as numeric(18, 6)) as revenue_amount_eur,
        cast(sum(order_items.refunded_amount_eur) as numeric(18, 6)) as refunded_amount_eur,
        cast(sum(order_items.net_revenue_amount_eur) as numeric(18, 6)) as net_revenue_amount_eur
    from order_items
    inner join dates
        on order_items.ordered_date_key = dates.date_key
    inner join products
        on order_items.product_id = products.product_id
    where not dates.is_unknown and order_items.order_status != 'cancelled'
    group by dates.month_start_date, products.department_name, products.category_name
)

select * from final
