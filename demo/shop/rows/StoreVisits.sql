-- Visits number first..last to the shop in Berlin; the door counter writes the wall clock's time.
insert into shop."StoreVisits" ("VisitId", "Order", "Visited At", "group", updated_at)
with visit as (
    select
        n,
        case
            when n <= %(last_late)s::bigint
                then %(late_before)s::timestamptz - interval '1 minute' * (1 + mod(n, 29))
            else
                %(window_start)s::timestamptz
                + (%(window_end)s::timestamptz - %(window_start)s::timestamptz) * demo.roll('visit.time', n)
        end as visited_at
    from generate_series(%(first)s::bigint, %(last)s::bigint) as n
)

select
    n,
    case when mod(n, 3) = 0 then demo.roll_up_to(%(orders)s::bigint, 'visit.order', n) end,
    visited_at at time zone 'Europe/Berlin',
    demo.pick(array['walk-in', 'Family', 'family', 'Führung', '', null], 'visit.group', n),
    visited_at
from visit;
