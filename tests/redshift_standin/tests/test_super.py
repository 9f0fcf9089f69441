"""SUPER: what it holds, how one goes into it, and what it is not."""

import psycopg
import pytest

pytestmark = pytest.mark.redshift

DOCUMENT = """{"kind": "view", "n": 7, "ok": true, "none": null, "items": [
    {"sku": "a", "tags": ["x", "y"]}, {"sku": "b", "tags": []}]}"""


@pytest.fixture
def events(ask):
    ask("create table events (id int, doc super)")
    ask("insert into events select 1, json_parse(%s)", DOCUMENT)


@pytest.mark.usefixtures("events")
@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("select e.doc.kind::varchar(10), e.doc.n::int from events e", [("view", 7)]),
        ("select id from events e where e.doc.kind = 'view'", [(1,)]),
        ("select id from events e where e.doc.kind in ('click', 'view')", [(1,)]),
        ("select id from events e where e.doc.kind = 'click'", []),
        ("select id from events e where e.doc.n = 7 and e.doc.ok = true", [(1,)]),
        ("select id from events e where e.doc.n = '7'", []),
        ("select id from events e where e.doc.none is null and e.doc.missing.deep is null", [(1,)]),
        ("select e.doc.items[1].sku::varchar from events e", [("b",)]),
        ("select e.doc.items[7].sku is null, e.doc.kind[0] is null from events e", [(True, True)]),
        ("select events.doc.kind::varchar from events", [("view",)]),
        ("select i.sku::varchar from events e, e.doc.items as i order by 1", [("a",), ("b",)]),
        (
            "select i.sku::varchar, place from events e, e.doc.items as i at place order by 2",
            [("a", 0), ("b", 1)],
        ),
        (
            "select t::varchar from events e, e.doc.items i, i.tags t order by 1",
            [("x",), ("y",)],
        ),
        (
            "with x as (select id, doc from events) select count(*) from x, x.doc.items as item",
            [(2,)],
        ),
        (
            "select get_array_length(e.doc.items), json_typeof(e.doc.items) from events e",
            [(2, "array")],
        ),
        ("select json_serialize(array_concat(array(1, 'a'), array(null)))", [('[1,"a",null]',)]),
        ("select is_object(doc), is_array(doc) from events", [(True, False)]),
        (
            """select json_serialize(json_parse('{"a": [1, "x", null]}'))""",
            [('{"a":[1,"x",null]}',)],
        ),
    ],
)
def test_a_path_leads_into_a_document(ask, query, rows):
    assert ask(query) == rows


@pytest.mark.parametrize("cast", ["'{\"a\": 1}'::super", "cast('{\"a\": 1}' as super)"])
def test_a_text_becomes_a_text_and_no_document(ask, cast):
    assert ask(f"select json_typeof({cast})") == [("string",)]


def test_unnesting_what_is_no_array_is_refused(ask):
    ask("create table t as select json_parse('{\"a\": 1}') as doc")
    with pytest.raises(psycopg.errors.FeatureNotSupported, match="arrays only"):
        ask("select x from t, t.doc as x")


def test_drivers_know_super_by_its_number(cluster, amazons_driver, events):
    del events
    cursor = cluster.execute("select doc from events")
    assert cursor.description[0].type_code == 4000
    with amazons_driver.cursor() as cursor:
        cursor.execute("select e.doc.items from events e")
        assert cursor.fetchone()[0].startswith("[")
        assert cursor.description[0][1] == 4000
