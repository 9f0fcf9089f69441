{{ config(dist='all', sort=['product_id']) }}

with

products as (
    select * from {{ ref('dim_products_flattened') }}
),

order_items as (
    select * from {{ ref('fct_order_items') }}
    where order_status != 'cancelled'
),

events as (
    select * from {{ ref('fct_web_events') }}
),

stock as (
    select * from {{ ref('fct_inventory_daily') }}
    where is_latest
),

sold as (
    select
        product_id,
        sum(ordered_quantity) as ordered_quantity,
        sum(returned_quantity) as returned_quantity,
        sum(net_revenue_amount_eur) as net_revenue_amount_eur
    from order_items
    group by product_id
),

seen as (
    select
        product_id,
        count(case when event_type = 'view' then 1 end) as view_count,
        count(case when event_type = 'purchase' then 1 end) as web_purchase_count
    from events
    group by product_id
),

stocked as (
    select
        product_id,
        sum(closing_quantity) as stock_quantity
    from stock
    group by product_id
),

combined as (
    select
        products.*,
        cast(coalesce(sold.ordered_quantity, 0) as bigint) as ordered_quantity,
        cast(coalesce(sold.returned_quantity, 0) as bigint) as returned_quantity,
        cast(coalesce(sold.net_revenue_amount_eur, 0) as numeric(18, 6))
            as net_revenue_amount_eur,
        cast(coalesce(seen.view_count, 0) as bigint) as view_count,
        cast(coalesce(seen.web_purchase_count, 0) as bigint) as web_purchase_count,
        cast(coalesce(stocked.stock_quantity, 0) as bigint) as stock_quantity
    from products
    left join sold
        on products.product_id = sold.product_id
    left join seen
        on products.product_id = seen.product_id
    left join stocked
        on products.product_id = stocked.product_id
),

final as (
    select
        product_id,
        sku,
        product_name,
        department_name,
        category_name,
        is_active,
        cast(
            rank() over (partition by category_name order by net_revenue_amount_eur desc)
            as integer
        ) as rank_in_category,
        ordered_quantity,
        returned_quantity,
        {{ ratio('returned_quantity', 'ordered_quantity') }} as return_rate,
        net_revenue_amount_eur,
        view_count,
        web_purchase_count,
        {{ ratio('web_purchase_count', 'view_count') }} as purchases_per_view,
        stock_quantity
    from combined
)

select * from final
