"""What an analyst changed is built beside the last good build, and what differs is told."""

import json
import shutil

import duckdb
import pytest

pytestmark = pytest.mark.trust


def edit(project, file, old, new):
    path = project.settings.transform / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def build_changed(project, *options):
    done = project.run("build-changed", "--name", "anna", "--json", *options)
    assert done.returncode in {0, 1}, done.stderr
    assert done.stdout, done.stderr
    answer = json.loads(done.stdout)
    return done, answer, {found["model"]: found for found in answer["differences"]}


def test_nothing_changed_builds_nothing_and_says_so(after_green):
    done = after_green.run("build-changed")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("nothing changed since build ")
    assert not (after_green.settings.output / "changed" / "warehouse.duckdb").exists()


def test_a_changed_model_is_built_with_what_reads_it_and_compared_by_key(after_green):
    """Rows added, removed and changed, by column; what reads nothing of it is left alone."""
    edit(
        after_green,
        "models/stg_orders.sql",
        "from raw_shop.orders",
        "from raw_shop.orders where id <> 7 union all select 5000, 1, 'small'",
    )
    edit(after_green, "models/stg_orders.sql", "    amount,", "    amount + (id % 2) as amount,")
    before = after_green.settings.warehouse.read_bytes()
    done, answer, models = build_changed(after_green, "--sample", "2")
    assert (done.returncode, answer["failures"], answer["tests"]) == (0, [], 2)
    assert set(models) == {"stg_orders", "fct_sizes"}
    orders = models["stg_orders"]
    assert (orders["rows_before"], orders["rows"]) == (1000, 1000)
    assert (orders["added"], orders["removed"], orders["changed"]) == (1, 1, 499)
    assert orders["columns"] == {"amount": 499}
    assert orders["key"] == ["order_id"]
    assert orders["samples"] == {
        "added": [["5000"]],
        "removed": [["7"]],
        "changed": [["1"], ["3"]],
    }
    assert models["fct_sizes"]["columns"] == {"amount": 2}
    assert after_green.settings.warehouse.read_bytes() == before


def test_the_result_lies_in_schemas_of_its_own_that_read_the_last_good_build(after_green):
    edit(after_green, "models/fct_sizes.sql", "group by size", "where size = 'small' group by size")
    _, answer, models = build_changed(after_green)
    assert set(models) == {"fct_sizes"}
    assert models["fct_sizes"]["removed"] == 1
    with duckdb.connect(after_green.settings.output / "changed" / "warehouse.duckdb") as connection:
        connection.execute(f"attach '{after_green.settings.warehouse}' as last_build (read_only)")
        sizes = "select count(*) from {}.fct_sizes"
        assert connection.execute(sizes.format("changed_anna_marts")).fetchone() == (1,)
        assert connection.execute(sizes.format("marts")).fetchone() == (2,)
    assert "schemas changed_anna_*" in answer["place"]


def test_a_changed_macro_builds_the_models_that_call_it(after_green):
    edit(after_green, "macros/size_of.sql", "< 500", "<= 500")
    done = after_green.run("build-changed", "--name", "anna")
    assert done.returncode == 0, done.stderr
    assert done.stderr == "building 2 models and running 2 tests\n"
    verdict, *lines = done.stdout.splitlines()
    assert verdict.startswith("green: 2 models and 2 tests in ")
    assert lines[:3] == [
        "  stg_orders: 1,000 -> 1,000 rows; 0 added, 0 removed, 1 changed",
        "    size: 1 values changed",
        "    changed, by order_id: 400",
    ]


def test_a_changed_variable_a_model_that_is_new_and_one_that_is_gone(after_green):
    """dbt does not say which models read a variable, so all are built."""
    with (after_green.settings.transform / "dbt_project.yml").open("a") as file:
        file.write("\nvars: {limit: 3}\n")
    models = after_green.settings.transform / "models"
    (models / "fct_new.sql").write_text("select 1 as id, {{ var('limit') }} as amount")
    (models / "fct_sizes.sql").unlink()
    shutil.copy(models / "fct_sizes.yml", models / "fct_sizes.txt")
    text = (models / "fct_sizes.yml").read_text()
    (models / "fct_sizes.yml").write_text(text[: text.index("  - name: fct_sizes")])
    _, answer, built = build_changed(after_green)
    assert answer["removed"] == ["fct_sizes"]
    assert built["fct_new"]["rows_before"] is None
    assert set(built) == {"fct_new", "fct_orders", "stg_orders"}
    assert "variables changed: limit" in answer["remarks"][0]


def test_a_test_that_fails_ends_with_1_and_still_tells_the_difference(after_green):
    edit(after_green, "models/stg_orders.sql", "id as order_id", "id // 2 as order_id")
    done, answer, models = build_changed(after_green)
    assert done.returncode == 1
    assert answer["failures"][0].startswith("test unique_stg_orders_order_id: Got 500 results")
    assert models["stg_orders"]["removed"] == 500


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("update ops.builds set status = 'red'", "is red; `watershed build` makes one"),
        ("delete from ops.builds", "no build has run; `watershed build` makes one"),
        ("update ops.builds set build_id = 'of-elsewhere'", "of-elsewhere was not made by"),
    ],
)
def test_without_a_last_good_build_it_says_why_and_what_to_do(after_green, change, said):
    after_green.run_sql(change)
    done = after_green.run("build-changed")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("watershed: ")
    assert said in line


def test_without_a_warehouse_it_says_what_to_run(project):
    done = project.run("build-changed")
    assert done.returncode == 1
    assert "hence no last good build: load with `meltano run el`" in done.stderr


def test_a_name_that_no_schema_can_have_is_refused(after_green):
    done = after_green.run("build-changed", "--name", "Anna; drop")
    assert done.returncode == 1
    assert "give --name lower-case letters" in done.stderr
