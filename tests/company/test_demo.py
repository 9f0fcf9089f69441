"""The README's commands on a clone: what arrives equals the source, value by value.

Nothing here uses the pipeline's own code: drivers read the sources, DuckDB reads the warehouse. The
last run is made where nothing but this machine can be reached, with the environment of a cron job.
"""

import collections
import json
import subprocess

import arrival
import pytest

pytestmark = pytest.mark.demo

PROOF_THAT_ATTEMPTS_ARE_NOTICED = [
    "socket.getaddrinfo 192.0.2.1",
    "socket.connect 192.0.2.1",
    "socket.getaddrinfo 2001:db8::1",
    "socket.connect 2001:db8::1",
    "socket.getaddrinfo watershed.invalid",
]
RELATIONS = {
    "active_products",
    "addresses",
    "categories",
    "customers",
    "inventory_movements",
    "order_items",
    "orders",
    "payments",
    "products",
    "refunds",
    "StoreVisits",
}


def typed(value, *, is_json):
    """Make a value comparable: its type beside it; JSON by its content, to the last digit."""
    if is_json and value is not None:
        content = json.loads(value, parse_float=str, parse_int=str)
        return "json", json.dumps(content, sort_keys=True)
    return type(value).__name__, value


def source_rows(connection, relation):
    """Read a relation's columns, in lower case, and its rows as PostgreSQL has them."""
    columns = connection.execute(
        "select attname, format_type(atttypid, null) from pg_attribute "
        "where attrelid = %s::regclass and attnum > 0 and not attisdropped order by lower(attname)",
        [f'shop."{relation}"'],
    ).fetchall()
    read = {"jsonb": '"{}"::text', "text[]": 'to_jsonb("{}")::text'}
    listed = ", ".join(read.get(of, '"{}"').format(name) for name, of in columns)
    rows = connection.execute(f'select {listed} from shop."{relation}"').fetchall()
    jsons = [of in read for _, of in columns]
    return [name.lower() for name, _ in columns], collections.Counter(
        tuple(typed(v, is_json=j) for v, j in zip(row, jsons, strict=True)) for row in rows
    )


def warehouse_rows(connection, relation):
    """Read a raw table's own columns and its rows that are not deleted, as DuckDB has them."""
    columns = connection.execute(
        "select column_name, data_type from duckdb_columns() where schema_name = 'raw_shop' "
        "and table_name = ? and not starts_with(column_name, '_sdc_') order by column_name",
        [relation.lower()],
    ).fetchall()
    listed = ", ".join(
        f'"{name}"::varchar' if of == "JSON" else f'"{name}"' for name, of in columns
    )
    rows = connection.execute(
        f'select {listed} from raw_shop."{relation.lower()}" where _sdc_deleted_at is null'
    ).fetchall()
    jsons = [of == "JSON" for _, of in columns]
    return [name for name, _ in columns], collections.Counter(
        tuple(typed(v, is_json=j) for v, j in zip(row, jsons, strict=True)) for row in rows
    )


def assert_arrived(clone):
    """R-3.1.3: source and warehouse agree row for row, value by value, type by type."""
    with clone.source() as source, clone.warehouse() as warehouse:
        present = source.execute(
            "select relname from pg_class where relnamespace = 'shop'::regnamespace "
            "and relkind in ('r', 'v')"
        ).fetchall()
        assert {name for (name,) in present} == RELATIONS
        for relation in sorted(RELATIONS):
            columns, rows = source_rows(source, relation)
            arrived_columns, arrived = warehouse_rows(warehouse, relation)
            assert arrived_columns == columns, relation
            assert rows, relation
            assert arrived - rows == collections.Counter(), relation
            assert rows - arrived == collections.Counter(), relation
    with clone.warehouse() as warehouse:
        for compare_source in (arrival.crm_differences, arrival.web_differences):
            differences, compared = compare_source(clone.env, warehouse)
            assert differences == []
            assert compared > 100


def test_a_first_run_brings_every_value(clone, first_run):
    assert_arrived(clone)
    printed, _ = first_run
    assert "green: " in printed
    assert "published " in printed


def test_readers_get_revenue_by_month(first_run):
    printed, rows = first_run
    assert len(rows) >= 24
    shown = [line.split() for line in printed.splitlines() if line.startswith(" 20")]
    assert [[str(value) for value in row.values()] for row in rows] == shown


def test_a_command_prints_how_well_people_are_told_apart(clone, first_run):
    assert first_run
    command = [clone.root / ".venv" / "bin" / "watershed-demo", "score", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    scores = json.loads(done.stdout)
    assert scores.keys() == {"all", "shop and crm", "shop and web", "crm and web"}
    assert all(score["recall"] >= 0.95 for score in scores.values())
    assert all(score["precision"] >= 0.98 for score in scores.values())


def test_nothing_secret_is_printed_or_logged(clone, first_run):
    secrets = {value for name, value in clone.env.items() if "PASSWORD" in name}
    assert secrets
    logs = [path.read_text(errors="replace") for path in clone.root.glob("output/**/*.log")]
    assert logs
    for secret in secrets:
        assert not any(secret in text for text in [first_run[0], *logs])


def test_a_run_without_changes_skips_the_build(clone, unchanged_run):
    assert "skipped models, tests and documentation: nothing changed" in unchanged_run
    assert_arrived(clone)


def test_days_later_every_value_has_followed(clone, days_later):
    """Inserts, updates, late rows, deletes, added columns: all that two days change."""
    assert days_later
    assert_arrived(clone)


def test_people_keep_their_numbers_while_days_pass(clone, days_later):
    """A number changes only where an entry ties two people together, and then is nobody's."""
    assert days_later
    with clone.warehouse() as warehouse:
        first, later, moved, still_used = warehouse.execute("""
            select
                count(*) filter (assigned_at = first_at),
                count(*) filter (assigned_at > first_at and previous_customer_id is null),
                count(previous_customer_id),
                count(*) filter (
                    not is_split
                    and previous_customer_id in (
                        select customer_id from marts.bridge_customer_identities
                    )
                )
            from
                marts.bridge_customer_identity_history,
                (select min(assigned_at) as first_at from marts.bridge_customer_identity_history)
        """).fetchone()
    assert first > 500
    assert later > 10
    assert moved < first / 100
    assert still_used == 0


def test_what_the_readme_shows_works_in_a_bare_environment(days_later):
    for said in days_later["said"]:
        assert said["code"] == 0, f"{said['command']}: {said['out']}\n{said['err']}"
        assert said["out"] + said["err"], said["command"]
    job, *_, states, schedules, status = days_later["said"]
    assert job["command"].endswith("run all")
    assert "green: " in job["err"]
    assert states["out"].split() == [
        f"dev:{source}-to-target-duckdb"
        for source in ("tap-mongodb--web", "tap-mysql--crm", "tap-postgres--shop")
    ]
    scheduled = json.loads(schedules["out"])["schedules"]["job"]
    assert {schedule["name"] for schedule in scheduled} == {"hourly", "daily"}
    found = json.loads(status["out"])
    assert (found["build"]["status"], found["publication"]["has_marts"]) == ("green", True)
    ours = [last["state"] for last in found["runs"] if last["state_id"].startswith("dev:")]
    assert ours == ["SUCCESS"] * 3


def test_nothing_but_this_machine_is_reached(days_later):
    """No hub, no package index, no telemetry."""
    by_python = [line.partition(" by ")[0] for line in days_later["attempts"]]
    assert by_python == PROOF_THAT_ATTEMPTS_ARE_NOTICED, "\n".join(days_later["attempts"])

    # The kernel's own count holds for what is not Python too: drivers, DuckDB, uv.
    before, after = days_later["before"], days_later["after"]
    assert after == before
    for counter in ("Ip:OutNoRoutes", "Ip6OutNoRoutes") if before else ():
        assert days_later["tried"][counter] > after[counter]
