-- Movements number first..last, a number that no column keeps: one in forty repeats the one before it wholly.
insert into shop.inventory_movements (product_id, warehouse, quantity, reason, moved_at)
with entry as (
    select case when mod(n, 40) = 0 then n - 1 else n end as n
    from generate_series(%(first)s::bigint, %(last)s::bigint) as n
)

select
    demo.roll_up_to(%(products)s::bigint, 'movement.product', n),
    demo.pick(array['Berlin', 'Berlin', 'berlin ', 'Kraków', 'LYON'], 'movement.warehouse', n),
    case
        when mod(n, 3) = 0 then demo.roll_up_to(200, 'movement.restock', n)
        else -demo.roll_up_to(6, 'movement.sale', n)
    end,
    demo.pick(array['sale', 'Sale', 'restock', 'count', '', null], 'movement.reason', n),
    %(window_start)s::timestamptz
    + (%(window_end)s::timestamptz - %(window_start)s::timestamptz) * demo.roll('movement.moved', n)
from entry;
