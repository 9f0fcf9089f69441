-- One table of twelve mixed columns; every value follows from the row's number, so that each machine has the same.
-- Keys lie above 2^53, where a double no longer tells two whole numbers apart.
create table {table} (
    id bigint not null,
    uid uuid not null,
    amount numeric(12, 2) not null,
    updated_at timestamptz not null,
    created_at timestamp not null,
    order_date date not null,
    is_paid boolean not null,
    score double precision not null,
    note text not null,
    meta jsonb not null,
    qty integer not null,
    coupon varchar(20)
);
insert into {table}
select
    9007199254740992 + n,
    md5(n::text)::uuid,
    ((n * 7919) % 9999999 / 100.0)::numeric(12, 2),
    timestamptz '2024-01-01 00:00:00+00' + n * interval '1 second' + (n * 7919 % 1000000) * interval '1 microsecond',
    timestamp '2024-01-01 00:00:00' + n * interval '1 second',
    date '2024-01-01' + (n / 86400)::integer,
    n % 10 < 7,
    sin(n) * 1000000,
    md5(n::text) || ' naïve ☃ ' || md5((n * 7)::text) || substr(md5((n * 3)::text), 1, 8),
    jsonb_build_object('k', n % 1000, 'src', (array['web', 'app', 'shop'])[1 + n % 3], 'v', n % 997 / 8.0),
    (n % 100)::integer,
    case when n % 5 < 3 then 'C' || n % 5000 end
from generate_series(1::bigint, {rows}) as n;
alter table {table} add primary key (id);
create index on {table} (updated_at);
