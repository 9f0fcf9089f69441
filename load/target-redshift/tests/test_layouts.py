"""Distribution and sort keys, from the extractor's metadata."""

import pytest

from watershed_load_plan import LoadError

pytestmark = pytest.mark.redshift

INTEGER = {"type": "integer"}
LAYOUTS = (
    'select "table", diststyle, sortkey1, sortkey_num from svv_table_info '
    'where "schema" = \'{raw}\' order by "table"'
)


def layouts(loader):
    return {
        table: (style.replace('"', ""), (first or "").replace('"', ""), number)
        for table, style, first, number in loader.rows(LAYOUTS)
    }


def test_rows_lie_as_the_metadata_say_and_else_as_redshift_decides(loader, singer):
    columns = {"Customer": INTEGER, "at": INTEGER}
    loader.load(
        singer.schema("shop-orders", keys=("at",), **columns),
        singer.schema("shop-others", keys=("at",), **columns),
        stream_metadata={
            "shop-orders": {
                "replication-method": "INCREMENTAL",
                "redshift-distribution-key": "Customer",
                "redshift-sort-keys": ["at", "Customer"],
            },
            "shop-others": {"replication-method": "FULL_TABLE"},
        },
    )
    found = layouts(loader)
    assert found["orders"] == ("KEY(customer)", "at", 2)
    assert found["others"][0].startswith("AUTO")
    assert found["others"][1].startswith("AUTO")


def test_a_table_that_took_the_name_of_another_lies_the_same_way(loader, singer):
    for version in (1, 2):
        loader.load(
            singer.schema("shop-log", keys=(), id=INTEGER),
            singer.record("shop-log", version, id=version),
            singer.activate("shop-log", version),
            stream_metadata={"shop-log": {"redshift-sort-keys": "id"}},
        )
    assert loader.rows("select id from {raw}.log") == [(2,)]
    assert layouts(loader)["log"][1:] == ("id", 1)


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ({"redshift-sort-keys": ["gone"]}, "redshift-sort-keys names column 'gone'"),
        ({"redshift-distribution-key": ["a", "b"]}, "redshift-distribution-key takes one column"),
        ({"redshift-sort-keys": {"a": 1}}, r"redshift-sort-keys is \{'a': 1\}"),
    ],
)
def test_metadata_that_name_no_column_are_one_clear_line(loader, singer, metadata, said):
    with pytest.raises(LoadError, match=f"stream shop-orders: {said}"):
        loader.load(
            singer.schema("shop-orders", keys=("a",), a=INTEGER, b=INTEGER),
            stream_metadata={"shop-orders": metadata},
        )
