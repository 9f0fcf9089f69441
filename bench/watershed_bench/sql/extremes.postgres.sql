-- The ends of each type's range that are numbers and days of a calendar: what every route should deliver.
create table extremes (like {table} including all);
insert into extremes values
(1, '00000000-0000-0000-0000-000000000000', 9999999999.99, '2199-12-31 23:59:59.999999+00', '2199-12-31 23:59:59.999999',
 '2199-12-31', true, 1.7976931348623157e308, '', '{}', 2147483647, null),
(2, 'ffffffff-ffff-ffff-ffff-ffffffffffff', -9999999999.99, '1900-01-01 00:00:00.000001+00', '1900-01-01 00:00:00.000001',
 '1900-01-01', false, -2.2250738585072014e-308, E'\U0001F30A line\nbreak, "quote" \\ tab\t', '{"n": 12345678901234567890.123456789}',
 -2147483648, ''),
(9223372036854775807, '12345678-9abc-def0-1234-56789abcdef0', 0.01, '0001-01-01 00:00:00+00', '9999-12-31 23:59:59.999999',
 '9999-12-31', true, 0.1, 'NULL', '[null, "\u2603", {"deep": [1e3]}]', 0, 'null'),
(-9223372036854775808, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 0, '9999-12-31 23:59:59.999999+00', '0001-01-01 00:00:00',
 '0001-01-01', false, 5e-324, '  blank  ', 'null', 1, 'null ');
