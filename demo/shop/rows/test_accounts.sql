-- Five accounts with which the staff tries the shop out; they bought, and are nobody.
insert into shop.customers (
    customer_id, external_id, email, full_name, phone, country, loyalty_tier, created_at, updated_at
)
select
    9000000000 + n,
    demo.hash('customer.external', 9000000000 + n)::uuid,
    case mod(n, 2) when 0 then 'Tester+' || n || '@example.com' else 'qa-' || n || '@shop.test' end,
    demo.pick(array['Test', 'TEST  Test', 'Anna Schmidt'], 'tester.name', n),
    '+49300000000',
    'DE',
    'none',
    %(window_start)s::timestamptz + interval '3 days' * n,
    %(window_start)s::timestamptz + interval '40 days' * n
from generate_series(1, 5) as n;
