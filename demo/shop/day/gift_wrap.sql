-- Since the second day, whoever places or changes an order says whether it is a gift, or does not.
update shop.orders
set gift_wrap = mod(order_id, 3) = 0
where updated_at >= %(window_start)s and mod(order_id, 5) > 0;
