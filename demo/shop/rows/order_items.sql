-- One to five lines for each order number first..last; now and then a clerk books a return as a line.
insert into shop.order_items (
    order_id, line_number, product_id, quantity, unit_price, discount_rate, updated_at
)
with line as (
    select
        o.order_id,
        o.ordered_at,
        line_number,
        o.order_id * 8 + line_number as n,
        demo.roll('item.product', o.order_id * 8 + line_number) as product_roll
    from shop.orders as o
    cross join lateral generate_series(
        1, 1 + floor(6 * demo.roll('order.lines', o.order_id) * demo.roll('order.basket', o.order_id))::integer
    ) as line_number
    where o.order_id between %(first)s and %(last)s
),

priced as (
    select
        line.*,
        p.product_id,
        coalesce(p.unit_price, 9.99) as list_price
    from line
    inner join shop.products as p
        on 1 + floor(product_roll * product_roll * %(products)s)::bigint = p.product_id
)

select
    order_id,
    line_number,
    product_id,
    case
        when mod(n, 131) = 0 then -1
        when mod(n, 367) = 1 then 0
        when demo.roll('item.quantity', n) < 0.7 then 1
        else demo.roll_up_to(4, 'item.many', n)::integer
    end,
    -- prices went up by three percent a year
    round(list_price / (1 + 0.03 * greatest(0, extract(epoch from timestamptz '2026-07-01 00:00+00' - ordered_at)) / 31557600), 2),
    (array[0, 0, 0, 0.05, 0.1, 0.3333])[demo.roll_up_to(6, 'item.discount', n)],
    case
        when order_id <= %(last_late)s::bigint
            then %(late_before)s::timestamptz - interval '1 minute' * (1 + mod(n, 29))
        else ordered_at + interval '1 second' * demo.roll('item.updated', n)
    end
from priced;
