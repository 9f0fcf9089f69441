-- What PostgreSQL stores and not every format can: a route may refuse it or set it aside; it must not change it.
create table specials (like {table} including all);
insert into specials values
(1, '00000000-0000-0000-0000-000000000000', 'NaN', 'infinity', '-infinity', 'infinity', true, 'NaN', 'a', '{}', 1, null),
(2, 'ffffffff-ffff-ffff-ffff-ffffffffffff', 1.00, '-infinity', 'infinity', '-infinity', true, '-Infinity', 'b', '{}', 2, null),
(3, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 2.50, '0044-03-15 12:00:00+00 BC', '294276-12-31 23:59:59', '4713-01-01 BC', false,
 'Infinity', 'c', '{}', 3, null);
