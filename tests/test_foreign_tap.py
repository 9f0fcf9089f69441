"""Any Singer tap plugs in: one from PyPI, which knows RECORD only, loads through our target."""

import json
import os

import duckdb
import pytest

pytestmark = pytest.mark.demo

FILES = {
    "meltano": ("tests/foreign_tap.meltano.yml", "extract/foreign_tap.meltano.yml"),
    "lock": ("requirements/tap-jsonl.lock", "requirements/tap-jsonl.lock"),
}
JOB = ("run", "tap-jsonl--web", "target-duckdb")


@pytest.fixture
def with_foreign_tap(pipeline, repository):
    for source, target in FILES.values():
        (pipeline.root / target).parent.mkdir(exist_ok=True)
        (pipeline.root / target).write_text((repository / source).read_text())
    (pipeline.root / "web").mkdir()
    # How this machine reaches the package index stands somewhere in its environment.
    pipeline.run("meltano", "install", "extractor", "tap-jsonl--web", **os.environ)
    return pipeline


def write_visits(pipeline, name, visits, *, at):
    path = pipeline.root / "web" / name
    path.write_text("".join(json.dumps(visit) + "\n" for visit in visits))
    os.utime(path, (at, at))


def loaded_visits(pipeline):
    path = pipeline.root / "output" / "warehouse.duckdb"
    with duckdb.connect(path, read_only=True) as connection:
        rows = connection.execute(
            "select id, page, seconds, seen_at at time zone 'UTC', tags::varchar "
            "from raw_web.visits"
        ).fetchall()
    return {
        key: {"id": key, "page": page, "seconds": seconds, "seen_at": at.isoformat() + "+00:00"}
        | {"tags": json.loads(tags) if tags else None}
        for key, page, seconds, at, tags in rows
    }


def visit(number, **changes):
    return {
        "id": number,
        "page": f'/produits/{number}?q=é,"\n',
        "seconds": number / 8,
        "seen_at": f"2026-01-02T03:04:{number % 60:02}+00:00",
        "tags": ["a", number],
        **changes,
    }


def test_records_arrive_value_by_value_and_those_that_come_again_change_nothing(
    with_foreign_tap,
):
    first = [visit(number) for number in range(2_500)]
    second = [visit(number) for number in range(2_500, 3_000)]
    write_visits(with_foreign_tap, "a.jsonl", first, at=1_700_000_000)
    write_visits(with_foreign_tap, "b.jsonl", second, at=1_700_000_100)
    with_foreign_tap.run("meltano", *JOB)
    expected = {row["id"]: row for row in first + second}
    assert loaded_visits(with_foreign_tap) == expected

    changed = [visit(7, page="/changed", tags=None), visit(9_000)]
    write_visits(with_foreign_tap, "b.jsonl", second + changed, at=1_700_000_200)
    said = with_foreign_tap.run("meltano", *JOB).stderr
    expected.update({row["id"]: row for row in changed})
    assert loaded_visits(with_foreign_tap) == expected
    # It sends every record again, each with its file's time: those of the second file changed.
    assert "stream visits: 1 inserted, 501 updated, 2499 unchanged, 0 deleted" in said
