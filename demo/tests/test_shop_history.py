"""The shop's history: the same for everybody, and messy in every way it promises."""

import datetime as dt

import pytest

from watershed_demo import TABLES, generate_shop
from watershed_demo.timeline import HISTORY_END, HISTORY_START
from watershed_servers.pytest_plugin import temporary_database

pytestmark = pytest.mark.demo

INCREMENTAL = (
    "customers",
    "categories",
    "products",
    "orders",
    "order_items",
    "payments",
    "refunds",
    "StoreVisits",
)


def value(connection, query):
    return connection.execute(query).fetchone()[0]


@pytest.fixture(scope="module")
def same_seed_elsewhere(postgres_server):
    with temporary_database(postgres_server) as database, database.connect() as connection:
        connection.execute("set timezone = 'Asia/Kathmandu'")
        connection.execute("set max_parallel_workers_per_gather = 0")
        generate_shop(connection, scale=0.05)
        yield connection


def test_the_same_seed_makes_the_same_bytes(shop, same_seed_elsewhere, digest) -> None:
    assert digest(shop) == digest(same_seed_elsewhere)


def test_another_seed_makes_other_rows_in_every_table_but_the_fixed_one(
    shop, postgres_database, digest
) -> None:
    with postgres_database.connect() as connection:
        generate_shop(connection, scale=0.05, seed=7)
        ours, theirs = digest(shop), digest(connection)
    assert {table for table in TABLES if ours[table] == theirs[table]} == {"categories"}


def test_scale_one_is_about_two_hundred_thousand_rows(shop) -> None:
    small = sum(value(shop, f'select count(*) from shop."{table}"') for table in TABLES)
    assert 180_000 < small * 20 < 230_000


@pytest.mark.parametrize("table", INCREMENTAL)
def test_updates_lie_within_the_history_and_never_in_the_future(shop, table) -> None:
    first, last = shop.execute(
        f'select min(updated_at), max(updated_at) from shop."{table}"'
    ).fetchone()
    assert last < HISTORY_END
    assert first > HISTORY_START - dt.timedelta(days=3 * 366)


@pytest.mark.parametrize("table", [table for table in INCREMENTAL if table != "categories"])
def test_updates_are_spread_over_the_history(shop, table) -> None:
    months = value(
        shop, f"""select count(distinct date_trunc('month', updated_at)) from shop."{table}" """
    )
    assert months >= 15


def test_incremental_tables_have_an_index_on_updated_at(shop) -> None:
    rows = shop.execute(
        "select tablename from pg_indexes where schemaname = 'shop'"
        " and indexdef like '%(updated_at)'"
    )
    assert {table for (table,) in rows} == set(INCREMENTAL)


def test_orders_grow_from_year_to_year_and_peak_before_christmas(shop) -> None:
    rows = shop.execute(
        "select date_trunc('month', ordered_at at time zone 'UTC')::date, count(*)"
        " from shop.orders group by 1"
    )
    orders = dict(rows.fetchall())
    assert len(orders) == 24
    assert orders[dt.date(2025, 12, 1)] == max(orders.values())
    for month in range(7, 13):
        assert orders[dt.date(2025, month, 1)] > orders[dt.date(2024, month, 1)]


def test_what_an_order_pays_is_what_its_lines_cost(shop) -> None:
    wrong = value(
        shop,
        """
        select count(*) from shop.payments as p where amount <> (
            select round(sum(quantity * unit_price * (1 - discount_rate)), 2)
            from shop.order_items as i where i.order_id = p.order_id
        )
        """,
    )
    assert wrong == 0


MESS = {
    "a person who is there twice, in another case": """
        from shop.customers as a inner join shop.customers as b
        on lower(trim(a.email)) = lower(trim(b.email)) and a.email <> b.email""",
    "a person who is there twice, with spaces around": """
        from shop.customers as a inner join shop.customers as b
        on lower(trim(a.email)) = lower(trim(b.email)) and a.email like '  %'""",
    "a person who is there twice, with another form of the phone": """
        from shop.customers as a inner join shop.customers as b
        on lower(trim(a.email)) = lower(trim(b.email))
        and a.phone like '+49%' and b.phone like '0049 (30)%'""",
    "a missing e-mail": "from shop.customers where email is null",
    "an empty e-mail": "from shop.customers where email = ''",
    "a missing name": "from shop.customers where full_name is null",
    "an empty name": "from shop.customers where full_name = ''",
    "a country in lower case": "from shop.customers where country = 'de'",
    "a country in words and spaces": "from shop.customers where country = ' Deutschland '",
    "a birth in the future": "from shop.customers where birth_date > '2059-01-01'",
    "preferences that are SQL's null": "from shop.customers where preferences is null",
    "preferences that are JSON's null": "from shop.customers where preferences = 'null'",
    "preferences that are an empty document": "from shop.customers where preferences = '{}'",
    "preferences with a value": "from shop.customers where preferences ? 'language'",
    "interests that are null": "from shop.customers where interests is null",
    "interests that are empty": "from shop.customers where interests = '{}'",
    "interests with a null among them": """
        from shop.customers where array_position(interests, null) is not null""",
    "interests with a comma, a quote and a line's end": """
        from shop.customers where interests @> array['a, b', 'c "d"', E'e\\nf']""",
    "names beyond ASCII": "from shop.customers where full_name like '%ü%'",
    "names beyond Latin": "from shop.customers where full_name like '%伟%'",
    "emoji": "from shop.orders where shipping_note like '%📦%'",
    "an accent of its own": "from shop.orders where shipping_note like U&'%cafe\\0301%'",
    "an empty note": "from shop.orders where shipping_note = ''",
    "a missing note": "from shop.orders where shipping_note is null",
    "a note that says null": "from shop.orders where shipping_note = 'null'",
    "a note with tab, line's end, quote, backslash": r"""
        from shop.orders where shipping_note = E'Ring twice,\nthen "wait"\t(back\\yard)'""",
    "a note of two thousand characters": "from shop.orders where length(shipping_note) > 2000",
    "an account of a tester": "from shop.customers where email like '%@shop.test'",
    "an order of a tester": "from shop.orders where customer_id > 9000000000",
    "a guest's order": "from shop.orders where customer_id is null",
    "a channel with a space": "from shop.orders where channel = 'Web '",
    "a channel in capitals": "from shop.orders where channel = 'STORE'",
    "a missing channel": "from shop.orders where channel is null",
    "a currency in lower case": "from shop.orders where currency = 'eur'",
    "a promise for the far future": "from shop.orders where promised_on = '2099-12-31'",
    "a missing promise": "from shop.orders where promised_on is null",
    "a negative quantity": "from shop.order_items where quantity < 0",
    "a quantity of nothing": "from shop.order_items where quantity = 0",
    "a method in another case": "from shop.payments where method = 'Card'",
    "a method with a space": "from shop.payments where method = 'invoice '",
    "a payment that failed before one that did not": """
        from shop.payments as a inner join shop.payments as b using (order_id)
        where a.status = 'failed' and lower(b.status) = 'settled'""",
    "a product that is there twice, its SKU in another case and spacing": """
        from shop.products as a inner join shop.products as b
        on upper(a.sku) = replace(upper(b.sku), ' ', '-') and a.sku <> b.sku""",
    "a missing price": "from shop.products where unit_price is null",
    "a missing category": "from shop.products where category_id is null",
    "a weight that needs all seventeen digits": """
        from shop.products where weight_kg::text::numeric(20, 14)::float8 <> weight_kg""",
    "an empty picture": "from shop.products where thumbnail = ''",
    "a missing picture": "from shop.products where thumbnail is null",
    "a picture with a zero byte": """
        from shop.products where position('\\x00'::bytea in thumbnail) > 0""",
    "attributes that are JSON's null": "from shop.products where attributes = 'null'",
    "attributes with a number no double can hold": """
        from shop.products where (attributes ->> 'energy_kwh')::numeric > 12345678901234567890
        and attributes ->> 'energy_kwh' like '%.123456789'""",
    "a postal code that begins with zero": "from shop.addresses where postal_code = '01067'",
    "a person who is there twice, the street written in another way": """
        from shop.addresses as a inner join shop.addresses as b
        on a.city = b.city and a.street = replace(b.street, 'straße', 'str.')
        and a.customer_id = b.customer_id + 7 and a.street <> b.street""",
    "a street with a quote": "from shop.addresses where street like '%l''Église%'",
    "rows that are equal wholly": """
        from (select count(*) as copies from shop.inventory_movements as m group by m.*) as twins
        where copies > 1""",
    "a warehouse in another case with a space": """
        from shop.inventory_movements where warehouse = 'berlin '""",
    "a category with spaces before it": "from shop.categories where name like '  %'",
    "a reserved word that is null, and a time without a zone": """
        from shop."StoreVisits" where "group" is null and "Order" is null
        and pg_typeof("Visited At") = 'timestamp'::regtype""",
}


@pytest.mark.parametrize("mess", MESS)
def test_the_shop_is_messy_on_purpose(shop, mess) -> None:
    assert value(shop, "select count(*) " + MESS[mess]) > 0
