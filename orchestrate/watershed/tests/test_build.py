"""When models are built, what a red build leaves, and that nothing is built in vain."""

import json

import pytest

from watershed.build import build
from watershed.dbt_project import DbtProject
from watershed.exceptions import MissingFileError
from watershed.publications import PublicationFolder, published_now
from watershed.publish import publish
from watershed_duckdb import WarehouseLockedError

pytestmark = pytest.mark.trust

ROW_LOADED = (
    "insert into ops.loads by name select 'load-2' as load_id, 1 as rows_inserted, "
    "0 as rows_updated, 0 as rows_unchanged, 0 as rows_deleted, now() as committed_at"
)


class AnnouncedError(Exception):
    """Stops a build once it said why it begins."""


def announce(line):
    raise AnnouncedError(line)


def last_build(project, columns="*"):
    with project.warehouse() as connection:
        return connection.execute(
            f"select {columns} from ops.builds order by started_at desc limit 1"
        ).fetchone()


def reason_to_build(project, **options):
    """Why a build would begin; None when it is skipped."""
    try:
        outcome = build(
            project.settings, **{"force": False, "docs": True, **options}, announce=announce
        )
    except AnnouncedError as error:
        return str(error).removeprefix("building, because ")
    assert outcome.action == "skipped"
    return None


def test_a_first_build_builds_tests_documents_and_says_so(green):
    said, verdict, documentation = (green.root / "said.txt").read_text().splitlines()
    assert said == "building, because no build has run"
    assert verdict.startswith("green: 3 models and 4 tests in ")
    page = green.settings.output / "docs" / "index.html"
    assert documentation == f"  documentation: {page}"
    assert "One row per order" in page.read_text()
    assert last_build(green, "command, is_full, status, models, tests, failures") == (
        *("build", True, "green"),
        *(3, 4, 0),
    )
    assert "fct_orders" in (green.settings.output / "logs" / "dbt.log").read_text()


def test_the_page_of_documentation_needs_no_other_file_and_no_network(green):
    page = (green.settings.output / "docs" / "index.html").read_text()
    assert '"model.small.fct_orders"' in page
    assert '<script src="http' not in page


def test_nothing_is_built_when_nothing_changed(after_green):
    before = after_green.settings.warehouse.read_bytes()
    done = after_green.run("build")
    assert done.returncode == 0
    build_id = last_build(after_green, "build_id")[0]
    assert done.stdout == (
        f"skipped models, tests and documentation: nothing changed since build {build_id}\n"
    )
    assert after_green.settings.warehouse.read_bytes() == before
    assert json.loads(after_green.run("build", "--json").stdout)["action"] == "skipped"


@pytest.mark.parametrize(
    ("inserted", "updated", "deleted", "reason"),
    [
        (0, 0, 0, None),
        (1, 0, 0, "1 rows changed"),
        (0, 1_000, 1, "1,001 rows changed"),
        (0, 0, 2, "2 rows changed"),
    ],
)
def test_a_row_that_changed_since_the_build_began_is_a_reason(
    after_green, inserted, updated, deleted, reason
):
    with after_green.warehouse() as connection:
        connection.execute(
            "insert into ops.loads by name select 'load-2' as load_id, ? as rows_inserted, "
            "? as rows_updated, 7 as rows_unchanged, ? as rows_deleted, now() as committed_at",
            [inserted, updated, deleted],
        )
    assert reason_to_build(after_green) == reason


@pytest.mark.parametrize(
    "path", ["models/fct_orders.sql", "models/new.sql", "macros/new.sql", "profiles/profiles.yml"]
)
def test_a_file_of_the_dbt_project_that_changed_is_a_reason(after_green, path):
    with (after_green.settings.transform / path).open("a") as file:
        file.write("\n-- changed\n")
    assert reason_to_build(after_green) == "the dbt project or its engine changed"


def test_a_file_that_dbt_wrote_is_no_reason(after_green):
    for name in ("target/manifest.json", "logs/dbt.log", ".user.yml"):
        path = after_green.settings.transform / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("changed")
    assert reason_to_build(after_green) is None


def test_documentation_that_is_missing_is_a_reason_unless_nobody_wants_it(after_green):
    (after_green.settings.output / "docs" / "index.html").unlink()
    assert reason_to_build(after_green) == "the documentation is missing"
    assert reason_to_build(after_green, docs=False) is None


def test_force_builds_in_any_case(after_green):
    assert reason_to_build(after_green, force=True) == "it was asked for"


def options_of_build(project, monkeypatch, *, force=False):
    """What dbt is asked for beside building."""
    monkeypatch.setattr(DbtProject, "build", lambda _, *options: announce(options))
    # It tells dbt by the environment, which other tests are not to find changed.
    monkeypatch.setenv("WATERSHED_WAREHOUSE", str(project.settings.warehouse))
    with pytest.raises(AnnouncedError) as told:
        build(project.settings, force=force, docs=True, announce=print)
    return told.value.args[0]


def test_incremental_models_are_added_to_if_rows_are_all_that_changed(after_green, monkeypatch):
    after_green.run_sql(ROW_LOADED)
    assert options_of_build(after_green, monkeypatch) == ()
    assert options_of_build(after_green, monkeypatch, force=True) == ("--full-refresh",)
    (after_green.settings.transform / "models" / "fct_orders.sql").write_text("select 1 as id")
    assert options_of_build(after_green, monkeypatch) == ("--full-refresh",)


@pytest.mark.parametrize("change", ["status = 'red'", "build_id = 'another'", "is_full = false"])
def test_incremental_models_are_made_anew_if_nobody_knows_of_what(after_green, monkeypatch, change):
    after_green.run_sql(f"update ops.builds set {change}")
    assert options_of_build(after_green, monkeypatch) == ("--full-refresh",)


def test_a_last_build_that_is_not_green_and_full_is_a_reason(after_green):
    after_green.run_sql("update ops.builds set status = 'running'")
    assert reason_to_build(after_green).endswith("did not end")
    after_green.run_sql("update ops.builds set status = 'green', is_full = false")
    assert reason_to_build(after_green).endswith("built a part of the models only")


def test_a_warehouse_restored_from_elsewhere_is_built_anew(after_green):
    after_green.run_sql("update ops.builds set build_id = 'of-another-machine'")
    assert reason_to_build(after_green) == (
        "build of-another-machine was not made by `watershed build`"
    )


def test_a_red_build_names_what_failed_publishes_the_ledger_and_keeps_the_marts(after_green):
    publish(after_green.settings)
    green_build = last_build(after_green, "build_id")[0]
    after_green.run_sql("insert into raw_shop.orders select * from raw_shop.orders limit 3")
    done = after_green.run("build", "--force", "--json")
    assert done.returncode == 1
    answer = json.loads(done.stdout)
    assert answer["action"] == "failed"
    expected = "test unique_fct_orders_order_id: Got 3 results"
    assert any(failure.startswith(expected) for failure in answer["failures"])
    assert answer["build_id"] == last_build(after_green, "build_id")[0] != green_build
    assert after_green.published("select count(*) from marts.fct_orders") == [(1000,)]
    assert after_green.published(
        "select status from ops.builds order by started_at desc limit 1"
    ) == [("red",)]
    published = published_now(PublicationFolder(after_green.settings.published))
    assert published.build_id == green_build
    assert "is red" in reason_to_build(after_green)


def test_a_dbt_project_that_cannot_be_read_is_told_in_a_line_and_changes_nothing(after_green):
    publish(after_green.settings)
    (after_green.settings.transform / "models" / "broken.sql").write_text("{{ ref('nowhere') }}")
    build_id = last_build(after_green, "build_id")
    done = after_green.run("build")
    assert done.returncode == 1
    verdict, failure, *_ = done.stdout.splitlines()
    assert verdict.startswith("RED: 0 models")
    assert failure.startswith("  failed: ")
    assert "nowhere" in failure
    assert "Traceback" not in done.stdout + done.stderr
    assert last_build(after_green, "build_id") == build_id


def test_without_a_warehouse_it_says_what_to_run(project):
    with pytest.raises(MissingFileError, match="meltano run el"):
        build(project.settings, force=False, docs=True, announce=announce)
    assert not project.settings.warehouse.exists()


def test_a_warehouse_that_is_held_too_long_is_told(after_green, monkeypatch):
    monkeypatch.setattr("watershed.build.LOCK_WAIT_SECONDS", 0.1)
    with after_green.held() as pid, pytest.raises(WarehouseLockedError, match=str(pid)):
        build(after_green.settings, force=True, docs=True, announce=announce)
