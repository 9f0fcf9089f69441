-- The money of orders number first..last that were returned since the window's start goes back, all or half.
insert into shop.refunds (refund_id, payment_id, amount, reason, refunded_at, updated_at)
select
    p.payment_id,
    p.payment_id,
    case when mod(p.order_id, 4) = 0 then round(p.amount / 2, 2) else p.amount end,
    demo.pick(array['damaged', 'Damaged', 'too late', 'gefällt nicht', '', null], 'refund.reason', p.payment_id),
    o.updated_at,
    o.updated_at
from shop.payments as p
inner join shop.orders as o on p.order_id = o.order_id
where
    o.order_id between %(first)s and %(last)s
    and p.payment_id between %(first)s * 2 - 1 and %(last)s * 2
    and o.updated_at >= %(window_start)s
    and o.status = 'returned'
    and lower(p.status) = 'settled'
on conflict do nothing;
