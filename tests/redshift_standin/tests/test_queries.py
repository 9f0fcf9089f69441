"""Queries in Redshift's words."""

from decimal import Decimal

import psycopg
import pytest

pytestmark = pytest.mark.redshift


@pytest.fixture
def orders(ask):
    ask("create table orders as select 1 as id, 'a'::varchar(3) as shop, 10 as cents")
    ask("insert into orders values (2, 'a', 30), (3, 'b', 20)")


@pytest.mark.usefixtures("orders")
@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("select top 1 id from orders order by cents desc", [(2,)]),
        ("select distinct top 1 shop from orders order by shop", [("a",)]),
        ("select shop from orders minus select 'a'", [("b",)]),
        ("select id from (select id from orders where id > 2)", [(3,)]),
        ("(select id from orders where id = 1) union all (select 9) order by 1", [(1,), (9,)]),
        ("with x as (select id from orders) select max(id) from x", [(3,)]),
        ("select count(*) from orders a left join orders b on a.id = b.id + 1", [(3,)]),
        ("select count(*) from orders join orders b using (id)", [(3,)]),
        (
            (
                "with recursive n(v) as (select 1 union all select v + 1 from n where v < 3) "
                "select max(v) from n"
            ),
            [(3,)],
        ),
        (
            "select id, sum(cents) over (order by id rows unbounded preceding) from orders",
            [(1, 10), (2, 40), (3, 60)],
        ),
        (
            (
                "select id, first_value(nullif(cents, 10) ignore nulls) over (order by id "
                "rows between unbounded preceding and unbounded following), "
                "last_value(nullif(shop, 'b') ignore nulls) over (order by id "
                "rows unbounded preceding), last_value(nullif(shop, 'b') respect nulls) over "
                "(order by id rows unbounded preceding) from orders order by id"
            ),
            [(1, 30, "a", "a"), (2, 30, "a", "a"), (3, 30, "a", None)],
        ),
        ("select 1.5 - 1, cents - id * 1.5 from orders where id = 2", [(Decimal("0.5"), 27)]),
        # QUALIFY: with a star, with names, by an item's name, beside joins and grouping.
        (
            (
                "select * from orders "
                "qualify row_number() over (partition by shop order by cents desc) = 1 order by id"
            ),
            [(2, "a", 30), (3, "b", 20)],
        ),
        (
            (
                "select id, row_number() over (partition by shop order by id) as place from orders "
                "where cents > 5 qualify place = 2"
            ),
            [(2, 2)],
        ),
        (
            (
                "select o.*, s.shop as name from orders as o join orders s on o.id = s.id "
                "qualify rank() over (order by o.cents) = 1"
            ),
            [(1, "a", 10, "a")],
        ),
        (
            (
                "select shop, sum(cents) from orders group by shop "
                "qualify row_number() over (order by sum(cents) desc) = 1"
            ),
            [("a", 40)],
        ),
        (
            (
                "with x as (select * from orders) select shop from x "
                "qualify row_number() over (order by id) = 1 limit 1"
            ),
            [("a",)],
        ),
        (
            "select case when id in (1, 2) then 'few' else 'many' end from orders where id = 3",
            [("many",)],
        ),
        ("/* a /* nested */ comment */ select id -- to the end\nfrom orders where id = 1", [(1,)]),
    ],
)
def test_a_query_gives_redshifts_rows(ask, query, rows):
    assert ask(query) == rows


@pytest.mark.usefixtures("orders")
def test_qualify_over_columns_that_using_merged_is_refused(ask):
    with pytest.raises(psycopg.errors.FeatureNotSupported, match="QUALIFY"):
        ask(
            "select * from orders join orders b using (id) "
            "qualify row_number() over (order by id) = 1"
        )


@pytest.mark.usefixtures("orders")
def test_merge_updates_and_inserts(ask):
    ask("create table news as select 2 as id, 'z'::varchar(3) as shop, 31 as cents")
    ask("insert into news values (4, 'c', 40)")
    ask(
        "merge into orders using news as n on orders.id = n.id "
        "when matched then update set shop = n.shop, cents = n.cents "
        "when not matched then insert (id, shop, cents) values (n.id, n.shop, n.cents)"
    )
    assert ask("select * from orders order by id") == [
        (1, "a", 10),
        (2, "z", 31),
        (3, "b", 20),
        (4, "c", 40),
    ]


@pytest.mark.usefixtures("orders")
def test_rows_are_changed_by_those_of_another_table(ask):
    ask("create table news as select 2 as id, 31 as cents")
    ask("update orders o set cents = n.cents from news n where o.id = n.id")
    ask("delete from orders using news as n where orders.id = n.id and orders.cents = 31")
    ask("delete orders where id = 1")
    ask("insert into orders (id, cents) (select id, cents from news)")
    assert ask("select id, shop, cents from orders order by id") == [(2, None, 31), (3, "b", 20)]


@pytest.mark.usefixtures("orders")
def test_a_cursor_fetches_in_parts(cluster):
    cluster.autocommit = False
    cluster.execute("declare c cursor for select id from orders order by id")
    assert cluster.execute("fetch 2 from c").fetchall() == [(1,), (2,)]
    cluster.execute("close c")
    cluster.rollback()


@pytest.mark.usefixtures("orders")
def test_rights_are_given_to_groups_and_roles(ask, schema):
    name = f"readers_{schema}"
    ask(f"create group {name}")
    ask(f"grant usage on schema {schema} to group {name}")
    ask(f"grant select on orders to group {name}")
    assert ask(
        "select identity_name, privilege_type from svv_relation_privileges "
        f"where namespace_name = '{schema}' and identity_name = '{name}'"
    ) == [(name, "SELECT")]
    ask(f"create user {name}_anna password 'Word-of-a-test-1' in group {name}")
    assert ask(
        "select g.groname from pg_group as g join pg_user as u on u.usesysid = any(g.grolist) "
        f"where u.usename = '{name}_anna'"
    ) == [(name,)]
    ask(f"drop user {name}_anna")
    ask(f"revoke all on orders from group {name}")
    ask(f"revoke all on schema {schema} from group {name}")
    ask(f"drop group {name}")
