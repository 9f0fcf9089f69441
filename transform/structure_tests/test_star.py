"""Questions that the star answers with one obvious query, against the source itself."""

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from dbt.contracts.graph.manifest import Manifest
from dbt.contracts.graph.nodes import GenericTestNode

from watershed_servers.postgres import PostgresDatabase

pytestmark = pytest.mark.model

CENT = Decimal("0.01")


@pytest.fixture(scope="module")
def ask_marts(built_warehouse: Path) -> Any:
    with duckdb.connect(str(built_warehouse), read_only=True) as connection:
        yield lambda query: connection.execute(query).fetchall()


@pytest.fixture(scope="module")
def rates(project: Path) -> dict[tuple[str, str], Decimal]:
    """Euros by currency and month, as the seed has them."""
    _, *lines = (project / "seeds" / "exchange_rates.csv").read_text().splitlines()
    rows = [line.split(",") for line in lines]
    return {(currency, month): Decimal(rate) for currency, month, rate in rows}


def documented_query(project: Path) -> str:
    """The query that the overview shows for revenue by month and category."""
    overview = (project / "models" / "docs" / "overview.md").read_text()
    (query,) = (
        text
        for text in re.findall(r"```sql\n(.*?)```", overview, re.DOTALL)
        if "category_name" in text
    )
    return str(query)


def test_revenue_by_month_and_category_net_of_refunds_in_euros(
    project: Path, ask_marts: Any, shop: PostgresDatabase, rates: dict[tuple[str, str], Decimal]
) -> None:
    """R-3.2.1: the overview's query, summed over categories, is what the shop sold and kept."""
    answer = ask_marts(documented_query(project))
    assert len(answer) > 100
    modelled: dict[str, Decimal] = {}
    for month, _, amount in answer:
        modelled[str(month)] = modelled.get(str(month), Decimal(0)) + amount
    with shop.connect() as connection:
        kept = connection.execute("""
            with sold as (
                select i.order_id, sum(i.quantity * i.unit_price * (1 - i.discount_rate)) as amount
                from shop.order_items as i
                group by i.order_id
            ),

            refunded as (
                select p.order_id, sum(r.amount) as amount
                from shop.refunds as r
                inner join shop.payments as p on r.payment_id = p.payment_id
                group by p.order_id
            )

            select
                upper(o.currency),
                date_trunc('month', o.ordered_at at time zone 'Europe/Berlin')::date,
                sum(s.amount - coalesce(r.amount, 0))
            from shop.orders as o
            inner join sold as s on o.order_id = s.order_id
            left join refunded as r on o.order_id = r.order_id
            where o.status != 'cancelled'
            group by 1, 2
        """).fetchall()
    expected: dict[str, Decimal] = {}
    for currency, month, amount in kept:
        rate = Decimal(1) if currency == "EUR" else rates[currency, str(month)]
        expected[str(month)] = expected.get(str(month), Decimal(0)) + amount * rate
    assert {currency for currency, _, _ in kept} == {"CHF", "EUR"}
    assert modelled.keys() == expected.keys()
    for month, amount in modelled.items():
        assert abs(amount - expected[month]) < CENT, month


def test_reports_add_up_to_their_facts(ask_marts: Any) -> None:
    ((reported, sold),) = ask_marts("""
        select
            (select sum(net_revenue_amount_eur) from marts.rpt_revenue_monthly),
            (select sum(net_revenue_amount_eur) from marts.fct_orders)
    """)
    assert reported == sold
    ((first, last, linear, credited),) = ask_marts("""
        select
            sum(first_touch_revenue_eur),
            sum(last_touch_revenue_eur),
            sum(linear_revenue_eur),
            (
                select sum(net_revenue_amount_eur) from marts.fct_orders
                where order_id in (select order_id from marts.bridge_order_touches)
            )
        from marts.rpt_campaign_return
    """)
    assert credited > 0
    assert all(abs(part - credited) < CENT for part in (first, last, linear))


def test_stock_of_any_day_is_what_moved_until_then(ask_marts: Any, shop: PostgresDatabase) -> None:
    modelled = ask_marts("""
        select warehouse_name, sum(closing_quantity)
        from marts.fct_inventory_daily
        where date '2025-06-30' between stock_date and valid_to_date
        group by all
        order by all
    """)
    with shop.connect() as connection:
        moved = connection.execute("""
            select lower(trim(warehouse)) collate "C", sum(quantity)
            from shop.inventory_movements
            where (moved_at at time zone 'Europe/Berlin')::date <= date '2025-06-30'
            group by 1
            order by 1
        """).fetchall()
    assert modelled == moved


def test_a_fact_that_stops_or_comes_twice_is_noticed(
    warehouse: Path, invoke: Any, manifest: Manifest
) -> None:
    """R-8.1: against the weeks before, by the clock of the data."""

    def failing() -> set[str]:
        chosen = ("--select", "test_name:volume_within_trailing_weeks")
        result = invoke(warehouse, "test", *chosen, manifest=manifest)
        tests = [item for item in result.result if isinstance(item.node, GenericTestNode)]
        assert len(tests) == 5
        return {
            str(item.node.attached_node).rpartition(".")[2]
            for item in tests
            if item.status == "fail"
        }

    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("""
            delete from marts.fct_orders where ordered_date_key > 20260620;
            insert into marts.fct_payments
            select p.*
            from marts.fct_payments as p
            cross join range(6)
            where p.paid_date_key > 20260624
        """)
    assert failing() == {"fct_orders", "fct_payments"}
