"""Marts of a small real company against the source itself, asked in SQL of the test's own."""

from pathlib import Path
from typing import Any

import duckdb
import pytest

from watershed_servers.postgres import PostgresDatabase

pytestmark = pytest.mark.model

Rows = list[tuple[Any, ...]]


@pytest.fixture(scope="module")
def ask_marts(built_warehouse: Path) -> Any:
    with duckdb.connect(str(built_warehouse), read_only=True) as connection:
        yield lambda query: connection.execute(query).fetchall()


@pytest.fixture(scope="module")
def ask_source(shop: PostgresDatabase) -> Any:
    with shop.connect() as connection:
        yield lambda query: connection.execute(query).fetchall()


def test_revenue_by_month_is_what_the_source_sold(ask_marts: Any, ask_source: Any) -> None:
    """R-3.1.4, R-3.2.1."""
    modelled = ask_marts("""
        select dim_dates.month_start_date, currency_code, sum(revenue_amount)
        from marts.fct_orders
        inner join marts.dim_dates on fct_orders.ordered_date_key = dim_dates.date_key
        group by all
        order by all
    """)
    sold = ask_source("""
        select
            date_trunc('month', o.ordered_at at time zone 'Europe/Berlin')::date,
            upper(o.currency),
            coalesce(sum(i.quantity * i.unit_price * (1 - i.discount_rate)), 0)
        from shop.orders as o
        left join shop.order_items as i on o.order_id = i.order_id and o.status <> 'cancelled'
        group by 1, 2
        order by 1, 2
    """)
    assert len(modelled) > 24
    assert modelled == sold


def test_money_by_method_is_what_came_less_what_went_back(ask_marts: Any, ask_source: Any) -> None:
    modelled = ask_marts("""
        select payment_method, sum(settled_amount), sum(refunded_amount), sum(net_amount)
        from marts.fct_payments
        group by all
        order by all
    """)
    moved = ask_source("""
        with settled as (
            select lower(trim(method)) as method, sum(amount) as amount
            from shop.payments
            where lower(status) = 'settled'
            group by 1
        ),

        refunded as (
            select lower(trim(p.method)) as method, sum(r.amount) as amount
            from shop.refunds as r
            inner join shop.payments as p on r.payment_id = p.payment_id
            group by 1
        )

        select s.method, s.amount, coalesce(r.amount, 0), s.amount - coalesce(r.amount, 0)
        from settled as s
        left join refunded as r on s.method = r.method
        order by 1
    """)
    assert sum(row[2] for row in moved) > 0
    assert modelled == moved


def test_a_person_who_registered_twice_is_one_customer(ask_marts: Any, ask_source: Any) -> None:
    """R-3.1.4: the second time under the same address, or the same name and number.

    The accounts of testers, whose numbers lie above, are nobody.
    """
    ((registrations, people),) = ask_source("""
        select
            count(*),
            count(distinct customer_id - case when mod(customer_id, 33) = 0 then 7 else 0 end)
        from shop.customers
        where customer_id < 9000000000
    """)
    ((persons, registered, lowest),) = ask_marts("""
        select count(*), sum(registration_count), max(customer_id)
        from marts.dim_customers
        where has_shop and is_current
    """)
    assert people <= persons <= people * 1.005 < registrations
    assert registered == registrations >= lowest


def test_orders_of_a_second_registration_belong_to_the_person(
    ask_marts: Any, ask_source: Any
) -> None:
    bought = ask_source("""
        select min(person.customer_id), count(o.order_id)
        from shop.customers as c
        inner join shop.orders as o on c.customer_id = o.customer_id
        inner join shop.customers as person on lower(trim(c.email)) = lower(trim(person.email))
        where trim(c.email) <> '' and c.customer_id = person.customer_id
        group by lower(trim(c.email))
        having count(distinct person.customer_id) > 1
        order by 1
    """)
    modelled = dict(ask_marts("select customer_id, count(*) from marts.fct_orders group by all"))
    assert len(bought) > 10
    assert [(person, modelled[person]) for person, _ in bought] == bought


def test_articles_listed_twice_are_sold_as_one(ask_marts: Any, ask_source: Any) -> None:
    sold = ask_source("""
        select upper(regexp_replace(p.sku, '[^A-Za-z0-9]', '', 'g')) collate "C", sum(i.quantity)
        from shop.order_items as i
        inner join shop.products as p on i.product_id = p.product_id
        group by 1
        order by 1
    """)
    modelled = ask_marts("""
        select sku, sum(net_quantity)
        from marts.fct_order_items
        inner join marts.dim_products on fct_order_items.product_key = dim_products.product_key
        group by all
        order by all
    """)
    assert modelled == sold


def test_each_category_names_its_department(ask_marts: Any, ask_source: Any) -> None:
    tree = ask_source("""
        with recursive node (category_id, department_id) as (
            select category_id, category_id from shop.categories where parent_category_id is null
            union all
            select c.category_id, node.department_id
            from shop.categories as c
            inner join node on c.parent_category_id = node.category_id
        )

        select node.category_id, lower(trim(d.name))
        from node
        inner join shop.categories as d on node.department_id = d.category_id
        order by 1
    """)
    modelled = ask_marts("""
        select category_id, lower(department_name)
        from marts.dim_categories
        where not is_unknown
        order by 1
    """)
    assert modelled == tree


def test_no_order_is_lost_to_a_customer_nobody_knows(ask_marts: Any, ask_source: Any) -> None:
    ((guests, testers),) = ask_source("""
        select
            count(*) filter (where customer_id is null),
            count(*) filter (where customer_id > 9000000000)
        from shop.orders
    """)
    ((unknown, marked),) = ask_marts("""
        select count(*), count(*) filter (where is_guest_order)
        from marts.fct_orders
        inner join marts.dim_customers on fct_orders.customer_key = dim_customers.customer_key
        where dim_customers.is_unknown
    """)
    assert unknown == guests + testers
    assert marked == guests > 0
    assert testers > 0


def test_only_marts_and_the_ledger_are_in_schemas_that_are_published(ask_marts: Any) -> None:
    found = ask_marts("""
        select schema_name, list(table_name order by table_name)
        from duckdb_tables()
        where schema_name in ('marts', 'ops')
        group by all
        order by all
    """)
    assert found == [
        (
            "marts",
            [
                *("bridge_customer_identities", "bridge_customer_identity_history"),
                *("bridge_order_touches", "dim_agents"),
                *("dim_campaigns", "dim_categories", "dim_channels", "dim_countries"),
                *("dim_customers", "dim_dates", "dim_departments", "dim_products"),
                *("dim_products_flattened", "fct_campaign_touches", "fct_inventory_daily"),
                *("fct_inventory_movements", "fct_order_items", "fct_orders", "fct_payments"),
                *("fct_refunds", "fct_subscription_months", "fct_subscriptions"),
                *("fct_support_tickets", "fct_web_events", "fct_web_sessions"),
                *("rpt_campaign_return", "rpt_product_performance", "rpt_retention_cohorts"),
                *("rpt_revenue_monthly", "rpt_support_load_monthly", "rpt_web_funnel_monthly"),
            ],
        ),
        ("ops", ["bookmarks", "builds", "fct_loads", "loads", "quarantine", "versions"]),
    ]
