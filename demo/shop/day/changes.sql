-- What one day changes in rows that were there before it; every change is stamped within the day's window.
update shop.customers
set
    email = case when mod(customer_id, 4) = 0 then lower(trim(email)) else email end,
    loyalty_tier = demo.pick(array['none', 'silver', 'gold'], 'customer.tier', customer_id)::shop.loyalty_tier,
    is_newsletter = not is_newsletter,
    preferences = case mod(customer_id, 3)
        when 0 then null
        when 1 then 'null'::jsonb
        else coalesce(nullif(preferences, 'null'), '{}') || '{"seen": true}'
    end,
    referral_code = case mod(customer_id, 5)
        when 0 then ''
        else 'REF-' || left(demo.hash('customer.referral', customer_id), 6)
    end,
    updated_at = %(window_start)s::timestamptz + interval '1 day' * demo.roll('customer.changed', customer_id)
where customer_id in (select demo.sample(%(customers)s, 0.009, 'customer'));

update shop.products
set
    unit_price = round(coalesce(unit_price, 9.99) * (90 + demo.roll_up_to(20, 'product.price', product_id)) / 100, 2),
    is_active = is_active and mod(product_id, 6) > 0,
    updated_at = %(window_start)s::timestamptz + interval '1 day' * demo.roll('product.changed', product_id)
where product_id in (select demo.sample(%(products)s, 0.01, 'product'));

update shop.orders
set
    status = case status when 'placed' then 'paid' else 'shipped' end::shop.order_status,
    updated_at = %(window_start)s::timestamptz + interval '1 day' * demo.roll('order.moved', order_id)
where
    order_id < %(first_order)s
    and status in ('placed', 'paid')
    and demo.roll('order.moves', order_id) < 0.5;

update shop.orders
set
    status = 'returned',
    updated_at = %(window_start)s::timestamptz + interval '1 day' * demo.roll('order.returned', order_id)
where
    order_id in (select demo.sample(%(first_order)s - 1, 0.002, 'order.returns'))
    and status = 'shipped';

update shop.order_items
set
    quantity = quantity + 1,
    updated_at = %(window_start)s::timestamptz + interval '1 day' * demo.roll('item.changed', order_id)
where
    order_id in (select demo.sample(%(first_order)s - 1, 0.01, 'item'))
    and line_number = 1;

update shop.payments as p
set
    status = 'settled',
    paid_at = o.updated_at,
    updated_at = o.updated_at
from shop.orders as o
where
    p.order_id = o.order_id
    and p.status = 'pending'
    and o.status in ('paid', 'shipped')
    and o.updated_at >= %(window_start)s;

update shop.addresses
set
    street = coalesce(street, 'Neue Straße') || ' a',
    updated_at = %(window_start)s::timestamptz + interval '1 day' * demo.roll('address.changed', address_id)
where address_id in (select demo.sample(%(addresses)s, 0.005, 'address.changes'));

delete from shop.addresses
where address_id in (select demo.sample(%(addresses)s, 0.004, 'address.deletes'));

-- The table has no key: some rows go with all their equals, and of some equal rows one goes.
with numbered as (
    select
        ctid,
        row_number() over (partition by m.*::text) as copy_number,
        demo.roll(m.*::text, 0) as fate
    from shop.inventory_movements as m
)

delete from shop.inventory_movements
where ctid in (
    select ctid from numbered where fate < 0.004 or (copy_number = 2 and fate < 0.1)
);
