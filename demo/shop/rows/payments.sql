-- For each order number first..last a payment with twice its number, after a failed attempt now and then.
insert into shop.payments (payment_id, order_id, method, status, amount, paid_at, updated_at)
with due as (
    select
        o.order_id,
        o.status as order_status,
        o.ordered_at,
        round(sum(i.quantity * i.unit_price * (1 - i.discount_rate)), 2) as amount,
        demo.pick(
            array['card', 'card', 'Card', 'paypal', 'PayPal', 'invoice', 'invoice '], 'payment.method', o.order_id
        ) as method
    from shop.orders as o
    inner join shop.order_items as i on o.order_id = i.order_id
    where
        o.order_id between %(first)s and %(last)s
        and i.order_id between %(first)s and %(last)s
    group by o.order_id
),

attempt as (
    select
        due.*,
        attempt_number,
        attempt_number = 1 as is_failed,
        demo.roll('payment.lag', order_id * 2 - attempt_number) as lag_roll
    from due
    cross join generate_series(0, 1) as attempt_number
    where attempt_number = 0 or demo.roll('payment.failed', order_id) < 0.04
),

settled as (
    select
        *,
        case
            when is_failed or order_status = 'cancelled' then 'failed'
            when order_status = 'placed' then 'pending'
            when mod(order_id, 23) = 0 then 'SETTLED'
            else 'settled'
        end as status,
        case
            when order_id <= %(last_late)s::bigint
                then %(late_before)s::timestamptz - interval '1 minute' * (1 + mod(order_id, 29))
            else least(
                ordered_at + case when is_failed then interval '5 minutes' else interval '20 hours' end * lag_roll,
                %(horizon)s::timestamptz - interval '10 minutes' * lag_roll - interval '1 microsecond'
            )
        end as happened_at
    from attempt
)

select
    order_id * 2 - attempt_number,
    order_id,
    method,
    status,
    amount,
    case when lower(status) = 'settled' then happened_at end,
    happened_at
from settled;
