"""What PostgreSQL takes and Redshift does not is refused; so is what the stand-in does not know."""

import psycopg
import pytest

pytestmark = pytest.mark.redshift

BRANCHES = "when matched then delete when not matched then insert values (1, 'a')"
REFUSED = [
    # Statements.
    ("create index i on orders (id)", "not supported on Redshift"),
    ("create extension pgcrypto", "not supported on Redshift"),
    ("create sequence s", "not supported on Redshift"),
    ("create type t as (a int)", "not supported on Redshift"),
    ("create function f() returns int language sql as 'select 1'", "not supported on Redshift"),
    ("do 'begin end'", "syntax error"),
    ("savepoint s", "syntax error"),
    ("listen x", "syntax error"),
    ("cluster orders", "syntax error"),
    ("copy orders from stdin", "syntax error|STDIN|S3|s3"),
    ("values (1)", "syntax error"),
    ("table orders", "syntax error"),
    ("truncate orders, orders", "syntax error"),
    ("truncate orders cascade", "syntax error"),
    ("set lock_timeout = 1000", "unrecognized configuration parameter"),
    ("set session_replication_role = replica", "unrecognized configuration parameter"),
    ("set enable_case_sensitive_identifier to true", "stays off"),
    ("begin isolation level read committed", "syntax error"),
    ("alter table orders append from orders", "does not run"),
    # Clauses of a query.
    ("select distinct on (id) * from orders", "DISTINCT ON"),
    ("select * from orders for update", "syntax error"),
    ("select * from orders fetch first 1 row only", "syntax error"),
    ("select * from orders, lateral (select 1) as x", "syntax error"),
    ("select * from orders tablesample system (10)", "syntax error"),
    ("select count(*) filter (where id > 1) from orders", "does not exist|syntax"),
    ("select * from (values (1)) as t (a)", "syntax error"),
    ("with x as materialized (select 1) select * from x", "syntax error"),
    ("select id from orders except all select id from orders", "EXCEPT ALL"),
    ("select sum(id) over w from orders window w as (partition by id)", "syntax error"),
    ("select sum(id) over (order by id) from orders", "require a frame clause"),
    ("select sum(id) over (order by id range unbounded preceding) from orders", "ROWS frames"),
    ("select 1 where 1 is distinct from 2", "syntax error"),
    ("select 1 where 1 is not distinct from 2", "syntax error"),
    ("select array[1, 2]", "syntax error"),
    ("select id from orders pivot (sum(id) for note in ('a'))", "syntax|not exist"),
    ("select '{\"a\": 1}'::super -> 'a'", "syntax error"),
    ("select note ~* 'A' from orders", "syntax error"),
    ("select 1 as a union select 2 order by a limit 1 offset 0 limit 2", "syntax error"),
    ("select e'a", "syntax error"),
    ("select (1", "syntax error"),
    # Types.
    ("select 'x'::uuid", "does not exist"),
    ("select '{}'::jsonb", "does not exist"),
    ("create table t (a serial)", "does not exist"),
    ("create table t (a int[])", "syntax error"),
    ("create table t (a bytea)", "does not exist"),
    ("create table t (a varchar(65536))", "cannot exceed 65535"),
    ("create table t (a numeric(39, 0))", "between 1 and 38"),
    # Tables.
    ("create table t (a int check (a > 0))", "syntax error"),
    ("create table t (a int generated always as (1) stored)", "syntax error"),
    ("create table t (a int) inherits (orders)", "syntax error"),
    ("create table t (a int) partition by range (a)", "syntax error"),
    ("create table t (a int) with (fillfactor = 10)", "syntax error"),
    ("create table t (a int) distribute by a", "syntax error"),
    ("create table t (a int encode gzip)", "syntax error"),
    ("create table t (a int distkey, b int distkey)", "only one DISTKEY"),
    ("create unlogged table t (a int)", "syntax error"),
    ("create table if not exists t as select 1 as a", "syntax error"),
    ("alter table orders add column a int, add column b int", "syntax error"),
    ("alter table orders add column if not exists a int", "syntax error"),
    ("alter table orders add column a int not null", "non-null default"),
    ("alter table orders alter column id type bigint", "only supported for columns of type"),
    ("alter table orders alter column id set not null", "syntax error"),
    ("alter table orders set schema public", "syntax error"),
    # Changes.
    ("insert into orders values (1, 'a') on conflict do nothing", "syntax error"),
    ("insert into orders values (1, 'a') returning id", "syntax error"),
    ("update orders set id = 2 returning id", "syntax error"),
    ("delete from orders returning id", "syntax error"),
    (f"merge into orders using (select 1 as id) as s on orders.id = s.id {BRANCHES}", "be a table"),
    (f"merge into orders as o using orders as s on o.id = s.id {BRANCHES}", "syntax error"),
    ("merge into orders using orders as s on orders.id = s.id when matched then delete",
     "WHEN NOT MATCHED"),
    (f"merge into orders using orders s on true when matched and true {BRANCHES[12:]}", "MATCHED"),
    ("with x as (select 1 as id) insert into orders select id, 'a' from x", "syntax error"),
]  # fmt: skip


@pytest.fixture
def orders(ask):
    ask("create table orders (id integer, note varchar(10))")


@pytest.mark.usefixtures("orders")
@pytest.mark.parametrize(("statement", "reason"), REFUSED)
def test_it_is_refused(ask, statement, reason):
    with pytest.raises(psycopg.Error, match=reason):
        ask(statement)


def test_a_refusal_ends_the_transaction(cluster):
    cluster.autocommit = False
    with pytest.raises(psycopg.errors.SyntaxError):
        cluster.execute("select array[1]")
    with pytest.raises(psycopg.errors.InFailedSqlTransaction):
        cluster.execute("select 1")
    cluster.rollback()
    assert cluster.execute("select 1").fetchone() == (1,)
    cluster.commit()


def test_a_refusal_reaches_amazons_driver_with_its_code(amazons_driver):
    with (
        pytest.raises(Exception, match="DISTINCT ON") as refusal,
        amazons_driver.cursor() as cursor,
    ):
        cursor.execute("select distinct on (a) 1 as a where 1 = %s", [1])
    assert refusal.value.args[0]["C"] == "0A000"
