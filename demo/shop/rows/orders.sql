-- Orders number first..last, in the order of the days of their window; none changes after the horizon.
insert into shop.orders (
    order_id, order_uuid, customer_id, status, channel, currency, ordered_at, promised_on, shipping_note, updated_at
)
with entry as (
    select
        n as order_id,
        n <= %(last_late)s::bigint as is_late,
        case
            when n <= %(last_late)s::bigint
                then %(late_before)s::timestamptz - interval '1 minute' * (1 + mod(n, 29))
            else
                date_trunc(
                    'day',
                    %(window_start)s::timestamptz
                    + (%(window_end)s::timestamptz - %(window_start)s::timestamptz)
                    * (n - %(first)s::bigint)::double precision / (%(last)s::bigint - %(first)s::bigint + 1),
                    'UTC'
                ) + interval '1 second' * (25200 + 59000 * demo.roll('order.time', n))
        end as ordered_at,
        demo.roll('order.status', n) as status_roll,
        demo.roll('order.lag', n) as lag_roll
    from generate_series(%(first)s::bigint, %(last)s::bigint) as n
),

placed as (
    select
        *,
        case
            when status_roll < 0.04 then 'cancelled'
            when ordered_at > %(horizon)s::timestamptz - interval '2 days' and status_roll < 0.5 then 'placed'
            when ordered_at > %(horizon)s::timestamptz - interval '5 days' then 'paid'
            when ordered_at > %(horizon)s::timestamptz - interval '15 days' then 'shipped'
            when status_roll < 0.09 then 'returned'
            else 'shipped'
        end::shop.order_status as status
    from entry
)

select
    order_id,
    demo.hash('order.uuid', order_id)::uuid,
    case
        when mod(order_id, 12) = 5 then null
        when mod(order_id, 401) = 7 then 9000000001 + mod(order_id, 5)
        else demo.roll_up_to(%(customers)s::bigint, 'order.customer', order_id)
    end,
    status,
    demo.pick(array['web', 'web', 'web', 'Web ', 'store', 'STORE', 'app', null], 'order.channel', order_id),
    demo.pick(
        array['EUR', 'EUR', 'EUR', 'EUR', 'EUR', 'EUR', 'EUR', 'EUR', 'EUR', 'EUR', 'eur', 'CHF'],
        'order.currency', order_id
    ),
    ordered_at,
    case
        when mod(order_id, 173) = 6 then date '2099-12-31'
        when mod(order_id, 17) = 7 then null
        else ordered_at::date + 3 + mod(order_id, 5)::integer
    end,
    case mod(order_id, 31)
        when 1 then ''
        when 2 then 'Bitte beim Nachbarn abgeben 📦'
        when 3 then E'Ring twice,\nthen "wait"\t(back\\yard)'
        when 4 then 'null'
        when 5 then '  cafe' || U&'\0301' || '  '
        when 6 then case when mod(order_id, 5) = 0 then repeat('Sehr lange Notiz. ', 120) end
    end,
    case
        when is_late then ordered_at
        else least(
            ordered_at + case status
                when 'placed' then interval '2 minutes'
                when 'paid' then interval '1 day'
                when 'cancelled' then interval '2 days'
                when 'shipped' then interval '5 days'
                else interval '30 days'
            end * lag_roll,
            %(horizon)s::timestamptz - interval '10 minutes' * lag_roll - interval '1 microsecond'
        )
    end
from placed;
