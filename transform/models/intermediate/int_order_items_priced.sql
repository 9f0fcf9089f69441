{{ config(dist='order_id', sort=['order_id']) }}

with

order_items as (
    select * from {{ ref('stg_shop__order_items') }}
),

signed as (
    select
        *,
        case when is_return then -quantity else quantity end as net_quantity
    from order_items
),

-- Six decimals hold price times rate exactly: the shop rounds an order, not its lines.
grossed as (
    select
        *,
        cast(net_quantity * unit_price as numeric(18, 6)) as gross_amount
    from signed
),

discounted as (
    select
        *,
        cast(net_quantity * unit_price * discount_rate as numeric(18, 6)) as discount_amount
    from grossed
),

final as (
    select
        order_id,
        line_number,
        product_id,
        is_return,
        case when is_return then 0 else quantity end as ordered_quantity,
        case when is_return then quantity else 0 end as returned_quantity,
        net_quantity,
        unit_price,
        discount_rate,
        gross_amount,
        discount_amount,
        cast(gross_amount - discount_amount as numeric(18, 6)) as net_amount
    from discounted
)

select * from final
