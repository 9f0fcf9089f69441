-- What MariaDB stores and no calendar has, and a "boolean" of 2: a route may refuse it or set it aside; it must not
-- change it.
create table specials like {table};
insert into specials values
(1, '00000000-0000-0000-0000-000000000000', 1.00, '2024-01-01 00:00:00', '0000-00-00 00:00:00', '0000-00-00', 2, 1, 'a',
 '{}', 1, null),
(2, 'ffffffff-ffff-ffff-ffff-ffffffffffff', 2.50, '2024-01-01 00:00:00', '2024-02-00 00:00:00', '2024-02-00', -1, 1, 'b',
 '{}', 2, null);
