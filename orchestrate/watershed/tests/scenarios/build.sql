-- What a dbt build leaves: every row of every mart carries the build's number.
create or replace table marts.fct_orders as
select id as order_id, amount, $build_number::integer as built_by from raw_shop.orders;
comment on table marts.fct_orders is 'One row per order: it''s {the} fact';
comment on column marts.fct_orders.order_id is 'Key of the order';

create or replace table marts.dim_customers as
select range as customer_id, $build_number::integer as built_by from range(100);

create or replace view marts.orders_view as select * from marts.fct_orders;

create or replace table ops.fct_loads as
select load_id, rows_inserted, $build_number::integer as built_by from ops.loads;

create or replace table marts.fct_orders__dbt_tmp as select 1 as half_written;
