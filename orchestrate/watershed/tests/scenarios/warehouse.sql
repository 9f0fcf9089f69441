-- A warehouse after one load and before its first build; the load plan has made its own tables.
create schema raw_shop;
create schema staging;
create schema marts;
create schema test_failures;

create table raw_shop.orders as
select range as id, (range * 1.25)::decimal(12, 2) as amount from range(1000);

create view staging.stg_shop__orders as select * from raw_shop.orders;

create table test_failures.unique_orders as select 'secret' as email;

insert into ops.loads by name
select
    'load-1' as load_id, 'run-1' as run_id, 'dev:tap-postgres--shop-to-target-duckdb' as state_id,
    'raw_shop' as target_schema, 'shop-orders' as stream, 'orders' as table_name, 1 as ordinal,
    1000 as rows_inserted, 0 as rows_updated, 0 as rows_unchanged, 0 as rows_deleted,
    1 as rows_quarantined, 2048 as bytes, 0.5 as seconds,
    timestamptz '2026-01-02 03:00:00+00' as committed_at;

insert into ops.bookmarks values
('dev:tap-postgres--shop-to-target-duckdb', 'shop-orders', '{}', 'run-1', '2026-01-02 03:00:00+00'),
('dev:tap-postgres--shop-to-target-duckdb', 'shop-refunds', '{}', 'run-1', '2026-01-02 03:00:00+00');

insert into ops.quarantine by name
select
    'quarantine-1' as quarantine_id, 'load-1' as load_id,
    'dev:tap-postgres--shop-to-target-duckdb' as state_id, 'shop-orders' as stream,
    'secret' as value, 'out of range' as reason,
    timestamptz '2026-01-02 03:00:00+00' as quarantined_at;

create table ops.builds (
    build_id varchar, command varchar, is_full boolean, status varchar, started_at timestamptz,
    finished_at timestamptz, models bigint, tests bigint, failures bigint, target varchar
);
