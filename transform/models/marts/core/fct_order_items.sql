{{ config(dist='order_id', sort=['ordered_date_key']) }}

with

order_items as (
    select * from {{ ref('int_order_items_netted') }}
),

orders as (
    select * from {{ ref('int_orders_completed') }}
),

products as (
    select * from {{ ref('int_products_deduplicated') }}
),

versions as (
    select * from {{ ref('int_products_versioned') }}
),

final as (
    select
        cast(order_items.order_id as bigint) as order_id,
        cast(order_items.line_number as integer) as line_number,
        cast(orders.customer_key as bigint) as customer_key,
        cast(orders.customer_id as bigint) as customer_id,
        cast(coalesce(versions.product_key, {{ unknown_id() }}) as bigint) as product_key,
        cast(coalesce(products.surviving_product_id, {{ unknown_id() }}) as bigint) as product_id,
        cast(orders.ordered_date_key as integer) as ordered_date_key,
        orders.order_status,
        order_items.currency_code,
        cast(order_items.ordered_quantity as integer) as ordered_quantity,
        cast(order_items.returned_quantity as integer) as returned_quantity,
        cast(order_items.net_quantity as integer) as net_quantity,
        cast(order_items.unit_price as numeric(12, 2)) as unit_price,
        cast(order_items.discount_rate as numeric(5, 4)) as discount_rate,
        cast(order_items.gross_amount as numeric(18, 6)) as gross_amount,
        cast(order_items.discount_amount as numeric(18, 6)) as discount_amount,
        cast(order_items.net_amount as numeric(18, 6)) as net_amount,
        cast(order_items.revenue_amount as numeric(18, 6)) as revenue_amount,
        cast(order_items.refunded_amount as numeric(18, 6)) as refunded_amount,
        cast(order_items.revenue_amount_eur as numeric(18, 6)) as revenue_amount_eur,
        cast(order_items.refunded_amount_eur as numeric(18, 6)) as refunded_amount_eur,
        cast(
            order_items.revenue_amount_eur - order_items.refunded_amount_eur as numeric(18, 6)
        ) as net_revenue_amount_eur,
        order_items.is_return
    from order_items
    inner join orders
        on order_items.order_id = orders.order_id
    left join products
        on order_items.product_id = products.product_id
    left join versions
        on
            products.surviving_product_id = versions.product_id
            and {{ is_valid_at('versions', 'orders.ordered_at') }}
)

select * from final
