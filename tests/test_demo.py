"""The README's commands on a clone: what arrives equals the source, value by value.

Nothing here uses the pipeline's own code: drivers read the sources, DuckDB reads the warehouse. The
last run is made where nothing but this machine can be reached, with the environment of a cron job.
"""

import collections
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import arrival
import dotenv
import duckdb
import psycopg
import pytest

pytestmark = pytest.mark.demo

REPOSITORY = Path(__file__).parents[1]
SCALE = "0.02"
OFFLINE_GUARD, OFFLINE_RUN = (
    Path(__file__).with_name(f"offline_{part}.py") for part in ("guard", "run")
)
OWN_NETWORK = ("unshare", "--user", "--map-root-user", "--net")
FURTHER_COMMANDS = (
    ".venv/bin/meltano state list",
    ".venv/bin/meltano schedule list --format=json",
    ".venv/bin/watershed status --json",
)
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


class Clone:
    """A clone of this repository with the sample company of its own."""

    def __init__(self, root):
        self.root = root

    def make(self, target):
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(
                ("MELTANO", "WATERSHED", "DBT", "SHOP_", "CRM_", "WEB_", "VIRTUAL_ENV")
            )
        }
        done = subprocess.run(
            ["make", target],
            cwd=self.root,
            env={**environment, "SCALE": SCALE, "MAKEFLAGS": ""},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"make {target}:\n{done.stdout}\n{done.stderr}"
        return done.stdout

    @property
    def env(self):
        return dotenv.dotenv_values(self.root / ".env")

    def source(self):
        env = self.env
        return psycopg.connect(
            host=env["SHOP_POSTGRES_HOST"],
            port=env["SHOP_POSTGRES_PORT"],
            dbname=env["SHOP_POSTGRES_DATABASE"],
            user=env["SHOP_POSTGRES_USER"],
            password=env["SHOP_POSTGRES_PASSWORD"],
            sslmode="verify-full",
            sslrootcert=env["SHOP_POSTGRES_SSLROOTCERT"],
        )

    def warehouse(self):
        connection = duckdb.connect(self.root / "output" / "warehouse.duckdb", read_only=True)
        connection.execute("set TimeZone = 'UTC'")
        return connection

    def query(self, sql):
        command = [self.root / ".venv" / "bin" / "watershed", "query", "--json", sql]
        done = subprocess.run(command, cwd=self.root, capture_output=True, text=True, check=True)
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """Clone what is in the work tree, commit or not, and stop its servers in the end."""
    root = tmp_path_factory.mktemp("demo") / "clone"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (REPOSITORY / name).exists():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, root / name)
    clone = Clone(root)
    yield clone
    clone.make("sources-down")
    shutil.rmtree(root)


@pytest.fixture(scope="module")
def first_run(clone):
    """What the first run printed, and what revenue by month was after it."""
    printed = clone.make("demo")
    return printed, clone.query((REPOSITORY / "demo" / "revenue_by_month.sql").read_text())


@pytest.fixture(scope="module")
def unchanged_run(clone, first_run):
    """What a second run printed, when nothing had changed."""
    assert first_run
    return clone.make("demo")


@pytest.fixture(scope="module")
def days_later(clone, unchanged_run):
    """What the README's commands said two days later, and whom they tried to reach."""
    assert unchanged_run
    clone.make("demo-day")
    clone.make("demo-day")
    clone.make("sources-down")
    (packages,) = clone.root.glob(".venv/lib/python*/site-packages")
    shutil.copy(OFFLINE_GUARD, packages)
    (packages / "guard.pth").write_text("import offline_guard\n")
    log = clone.root / "attempts.txt"
    command = [clone.root / ".venv" / "bin" / "python", OFFLINE_RUN, clone.root]
    if can_have_own_network():
        command = [*OWN_NETWORK, *command, "--own-network"]
    done = subprocess.run(
        command,
        env={"PATH": os.environ["PATH"], "OFFLINE_LOG": str(log)},
        input="\n".join([*documented_commands(clone.root), *FURTHER_COMMANDS]),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    clone.make("sources-up")
    return json.loads(done.stdout) | {"attempts": log.read_text().splitlines()}


def can_have_own_network():
    """Whether the kernel lets us refuse all traffic; a container may forbid it."""
    return subprocess.run([*OWN_NETWORK, "true"], capture_output=True, check=False).returncode == 0


def documented_commands(project):
    """Every command line of the README that names a program of ours, cron's job before the others.

    Shown for a project in `/srv/watershed` and a source called `<name>`.
    """
    readme = (REPOSITORY / "README.md").read_text()
    found = re.findall(r"(?:/srv/watershed/)?\.venv/bin/[^`\n]+", readme)
    from_cron = [command for command in found if command.startswith("/")]
    by_hand = [command for command in found if not command.startswith("/")]
    assert from_cron
    assert by_hand
    return [
        command.replace("/srv/watershed", str(project)).replace("<name>", "shop")
        for command in (*from_cron, *by_hand)
    ]


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


def test_the_documentation_opens_in_a_browser_and_shows_a_model(clone, first_run, tmp_path):
    assert first_run
    page = clone.root / "output" / "docs" / "index.html"
    shown = subprocess.run(
        [
            "chromium",
            *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"),
            *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
            f"--user-data-dir={tmp_path}",
            "--virtual-time-budget=20000",
            "--dump-dom",
            f"{page.as_uri()}#!/model/model.watershed.fct_order_items",
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    rendered = re.sub(r"<script.*?</script>", "", shown, flags=re.DOTALL)
    assert "<p>One row per line of an order: what was sold" in rendered
    assert "net_amount" in rendered


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
    assert [last["state"] for last in found["runs"]] == ["SUCCESS"] * 3


def test_nothing_but_this_machine_is_reached(days_later):
    """No hub, no package index, no telemetry."""
    by_python = [line.partition(" by ")[0] for line in days_later["attempts"]]
    assert by_python == PROOF_THAT_ATTEMPTS_ARE_NOTICED, "\n".join(days_later["attempts"])

    # The kernel's own count holds for what is not Python too: drivers, DuckDB, uv.
    before, after = days_later["before"], days_later["after"]
    assert after == before
    for counter in ("Ip:OutNoRoutes", "Ip6OutNoRoutes") if before else ():
        assert days_later["tried"][counter] > after[counter]
