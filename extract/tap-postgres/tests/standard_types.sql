-- One row with ordinary values in ordinary types, for the SDK's own tests.
create table "everything" (
    id bigint primary key,
    small smallint not null,
    price numeric(12,2) not null,
    ratio double precision not null,
    is_good boolean not null,
    name text not null,
    day date not null,
    moment timestamptz not null,
    naive timestamp not null,
    id_of_other uuid not null,
    document jsonb not null,
    words text[] not null,
    picture bytea not null
);
insert into everything values (
    1, -2, 12.50, 0.1, true, 'Ann', '2026-01-02', '2026-01-02 03:04:05+02', '2026-01-02 03:04:05',
    '4e1c6d2e-6f3a-4b52-9f2d-000000000001', '{"a": null}', '{x,NULL}', '\x00ff'
);
create table keyless (moved_at timestamptz not null);
insert into keyless select now() from generate_series(1, 3);
create view good as select id, name from everything where is_good;
