"""A value that its column cannot hold is set aside in sight; nothing is truncated or rounded."""

import json
import time

import pytest

from watershed_load_plan import QuarantineLimitError

pytestmark = pytest.mark.load

UNFIT = "does not fit decimal(38,2) exactly"
INTEGER = {"type": ["integer", "null"]}
PRICE = {"type": ["string", "null"], "format": "singer.decimal", "precision": 38, "scale": 2}


def prices(singer, *values):
    yield singer.schema("shop-prices", id=INTEGER, price=PRICE)
    for number, value in enumerate(values, start=1):
        yield singer.record("shop-prices", id=number, price=value)
    yield singer.state(**{"shop-prices": {"replication_key_value": len(values)}})


def test_an_unfit_value_is_null_and_its_original_is_kept(loader, singer):
    loader.load(*prices(singer, "1.50", "NaN", "0.005"))
    assert loader.rows("select id, price::varchar from shop.prices order by id") == [
        (1, "1.50"),
        (2, None),
        (3, None),
    ]
    assert loader.rows(
        "select stream, table_name, record_key, column_name, value, reason "
        "from ops.quarantine order by record_key"
    ) == [
        ("shop-prices", "prices", '{"id":2}', "price", "NaN", "does not fit decimal(38,2) exactly"),
        (
            "shop-prices",
            "prices",
            '{"id":3}',
            "price",
            "0.005",
            "does not fit decimal(38,2) exactly",
        ),
    ]
    assert loader.one("select rows_inserted, rows_quarantined from ops.loads") == (3, 2)


def test_an_unfit_value_that_comes_again_is_kept_once(loader, singer):
    loader.load(*prices(singer, "NaN"))
    loader.load(*prices(singer, "NaN"))
    assert loader.one("select count(*) from ops.quarantine") == 1


@pytest.mark.parametrize("key", [None, "no number"])
def test_a_row_whose_key_cannot_be_held_is_set_aside_whole(loader, singer, key):
    loader.load(
        singer.schema("shop-prices", id=INTEGER, price=PRICE),
        singer.record("shop-prices", id=key, price="1.00"),
        singer.record("shop-prices", id=2, price="2.00"),
    )
    assert loader.rows("select id from shop.prices") == [(2,)]
    column, value = loader.one("select column_name, value from ops.quarantine")
    assert column is None
    assert json.loads(value) == {"id": key, "price": "1.00"}


def test_text_that_is_no_unicode_is_set_aside(loader, singer):
    loader.load(
        singer.schema("shop-names", id=INTEGER, name={"type": "string"}),
        singer.record("shop-names", id=1, name="half a pair: \ud800"),
        singer.record("shop-names", id=2, name="whole: \U0001f600"),
    )
    assert loader.rows("select id, name from shop.names order by id") == [
        (1, None),
        (2, "whole: \U0001f600"),
    ]
    assert loader.one("select record_key, value from ops.quarantine") == (
        '{"id":1}',
        "half a pair: \\ud800",
    )


def test_above_the_limit_the_load_fails_and_leaves_the_warehouse_as_before(loader, singer):
    loader.load(*prices(singer, "1.00"))
    with pytest.raises(QuarantineLimitError) as raised:
        loader.load(*prices(singer, "2.00", "NaN", "0.005"), quarantine_limit=1)
    assert str(raised.value) == (
        'stream shop-prices: column price of key {"id":2} does not fit decimal(38,2) exactly; '
        "2 such in this run, 1 allowed: correct the source or raise quarantine_limit"
    )
    assert loader.rows("select id, price::varchar from shop.prices") == [(1, "1.00")]
    assert loader.one("select count(*) from ops.quarantine") == 0
    assert loader.one("select bookmark from ops.bookmarks") == '{"replication_key_value": 1}'


def test_the_limit_is_for_the_run_not_for_the_commit(loader, singer):
    with pytest.raises(QuarantineLimitError, match="2 such in this run, 1 allowed"):
        loader.load(*prices(singer, "NaN"), *prices(singer, "0.005"), quarantine_limit=1)
    assert loader.one("select count(*) from ops.quarantine") == 1


def test_a_number_without_bounds_is_as_wide_as_its_values_and_the_widest_are_set_aside(
    loader, singer
):
    wide = {"type": "string", "format": "singer.decimal", "precision": 65, "scale": 30}
    values = ["548388372." + "0" * 30, "0.000000001", "9" * 35 + "." + "9" * 30]
    loader.load(
        singer.schema("crm-accounts", id=INTEGER, revenue=wide),
        *(singer.record("crm-accounts", id=n, revenue=value) for n, value in enumerate(values)),
    )
    assert loader.types("crm.accounts")["revenue"] == "DECIMAL(21,9)"
    assert loader.rows("select id, revenue::varchar from crm.accounts order by id") == [
        (0, "548388372.000000000"),
        (1, "0.000000001"),
        (2, None),
    ]
    assert loader.one("select value from ops.quarantine") == values[2]


def test_a_number_of_fifty_thousand_zeros_is_set_aside_in_no_time(loader, singer):
    value = f"0.{'0' * 50_000}1"
    began = time.process_time()
    loader.load(
        singer.schema(
            "lab-probes", id=INTEGER, share={"type": "string", "format": "singer.decimal"}
        ),
        singer.record("lab-probes", id=1, share=value),
    )
    seconds = time.process_time() - began
    assert seconds < 5, "it took half a minute when each zero was looked at again and again"
    assert loader.one("select value from ops.quarantine") == value
