"""Readers of the published file never see half a publication, whatever happens to the publisher."""

import json
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest

from watershed.publish import publish

pytestmark = pytest.mark.trust

PROGRAMS = Path(__file__).parent / "programs"
READERS = 2
PUBLICATIONS = 50


@contextmanager
def program(name, *arguments):
    with subprocess.Popen(
        [sys.executable, PROGRAMS / name, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        if not process.stdin.closed:
            process.stdin.close()


def test_readers_in_other_processes_see_whole_publications_only_while_many_follow(built):
    publish(built.settings)
    path = built.settings.published
    with program("reader.py", path) as first, program("reader.py", path) as second:
        for reader in (first, second):
            assert reader.stdout.readline() == "ready\n"
        for number in range(2, PUBLICATIONS + 2):
            built.build(number)
            publish(built.settings)
        answers = [json.loads(reader.communicate()[0]) for reader in (first, second)]
        assert (first.returncode, second.returncode) == (0, 0)
    for answer in answers:
        builds = [facts[0] for facts, *_ in answer["seen"]]
        assert answer["seen"] == [[[n], [n], [n], f"build-{n}"] for n in builds]
        assert builds == sorted(builds)
        assert len(builds) > PUBLICATIONS / 2
        assert answer["opened"] > PUBLICATIONS


WHOLE_SQL = """
    select
        (select list(distinct built_by) from marts.fct_orders),
        (select list(distinct built_by) from marts.dim_customers),
        (select list(distinct built_by) from ops.fct_loads),
        (select build_id from ops.publications order by publication_id desc limit 1)
"""
LEDGER_SQL = "select publication_id, file from ops.publications order by all"


def assert_whole(project):
    """Marts are of one build, which the file's own ledger names; return marts' and ops' builds."""
    (((orders,), (customers,), (ops,), build_id),) = project.published(WHOLE_SQL)
    assert orders == customers
    assert build_id == f"build-{orders}"
    return orders, ops


def assert_tidy(project):
    """Nothing is left of the killed one, and both ledgers tell the same."""
    published = project.published(LEDGER_SQL)
    with project.warehouse() as connection:
        assert connection.execute(LEDGER_SQL).fetchall() == published
    assert set(project.publications) <= {file for _, file in published}


@pytest.fixture
def published_once(built):
    publish(built.settings)
    return built


def killed_at_every_step(work, project, copies):
    """Kill the work before its first trace, its second and so on; yield each project afterwards."""
    with program("kill_at.py") as killer:
        for step in count(1):
            copy = type(project)(copies / str(step))
            # Keeps the hard link between the published file and its publication.
            subprocess.run(["cp", "-a", project.root, copy.root], check=True)
            killer.stdin.write(f"{work} {step} {copy.root}\n")
            killer.stdin.flush()
            outcome = killer.stdout.readline().strip()
            yield outcome, copy
            shutil.rmtree(copy.root)
            if outcome != "killed":
                break


@pytest.mark.parametrize(("status", "new"), [("green", (2, 2)), ("red", (1, 2))])
def test_a_publisher_killed_at_any_step_leaves_the_old_or_the_new_and_the_next_one_heals(
    published_once, tmp_path_factory, status, new
):
    published_once.build(2, status=status)
    seen, outcomes = [], []
    for outcome, project in killed_at_every_step(
        "publish", published_once, tmp_path_factory.mktemp("killed")
    ):
        outcomes.append(outcome)
        seen.append(assert_whole(project))
        publish(project.settings)
        assert assert_whole(project) == new
        assert_tidy(project)
    assert outcomes == ["killed"] * (len(outcomes) - 1) + ["done"]
    assert len(outcomes) > 25
    assert seen == sorted(seen)
    assert set(seen) == {(1, 1), new}


def test_a_rollback_killed_at_any_step_leaves_the_old_or_the_new_and_can_be_repeated(
    published_once, tmp_path_factory
):
    published_once.build(2)
    publish(published_once.settings)
    seen, outcomes = [], []
    for outcome, project in killed_at_every_step(
        "rollback", published_once, tmp_path_factory.mktemp("killed")
    ):
        outcomes.append(outcome)
        seen.append(assert_whole(project))
        project.build(3)
        publish(project.settings)
        assert assert_whole(project) == (3, 3)
        assert_tidy(project)
    assert outcomes == ["killed"] * (len(outcomes) - 1) + ["done"]
    assert seen == sorted(seen, reverse=True)
    assert set(seen) == {(1, 1), (2, 2)}


def test_publishers_at_the_same_time_wait_for_each_other(built):
    publishers = [
        subprocess.Popen(
            [sys.executable, "-m", "watershed", "publish"],
            cwd=built.root,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    said = [publisher.communicate()[0].split()[0] for publisher in publishers]
    assert [publisher.returncode for publisher in publishers] == [0, 0, 0]
    assert sorted(said) == ["nothing", "nothing", "published"]


ON_A_SMALL_DISK = """
    mount -t tmpfs -o size="$SIZE" tmpfs "$DISK" || exit 77
    "$WATERSHED" publish || exit 78
    "$PYTHON" -c "import duckdb; duckdb.connect('$WAREHOUSE').execute('delete from ops.bookmarks')"
    "$WATERSHED" publish
    echo "ended with $?"
    "$WATERSHED" query --csv "select count(*) as bookmarks from ops.bookmarks"
    find "$DISK" -mindepth 1 -name "*.duckdb*" | wc --lines
"""


def test_a_full_disk_is_one_line_and_readers_keep_what_they_had(built, tmp_path_factory):
    """A file system of its own, that holds one publication and half of the next."""
    disk = tmp_path_factory.mktemp("disk")
    size = publish(built.settings).publication.bytes * 3 // 2
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "bash", "-c", ON_A_SMALL_DISK],
        cwd=built.root,
        env={
            "PATH": os.environ["PATH"],
            "DISK": str(disk),
            "SIZE": str(size),
            "PYTHON": sys.executable,
            "WATERSHED": str(Path(sys.executable).with_name("watershed")),
            "WAREHOUSE": str(built.settings.warehouse),
            "WATERSHED_PUBLISHED": str(disk / "published.duckdb"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip(f"no file system of one's own here: {done.stderr}")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"watershed: publishing into {disk}/publications failed, readers keep")
    assert "No space left on device" in line
    published, remark, *after = done.stdout.splitlines()
    assert published.startswith("published ")
    assert remark.endswith("marts.orders_view")
    assert after == ["ended with 1", "bookmarks", "2", "2"]
