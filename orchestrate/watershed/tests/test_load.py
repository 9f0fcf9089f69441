"""R-3.4.2: the sources load at the same time, and one that is down or slow stops no other."""

import json
import os
import re
import signal
import subprocess
import sysconfig
from pathlib import Path

import pytest

import watershed_duckdb
from watershed.exceptions import WatershedError
from watershed.load import MAY_PASS
from watershed.sources import read_sources
from watershed_servers.programs import processes_named

pytestmark = pytest.mark.trust

SCRIPTS = Path(sysconfig.get_path("scripts"))


def watershed(project, *arguments, **environment):
    return subprocess.run(
        [SCRIPTS / "watershed", *arguments],
        cwd=project,
        env={**os.environ, "XDG_STATE_HOME": str(project / "output"), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_one_source_that_fails_stops_no_other_and_a_person_hears_of_it(toys, inbox):
    project = toys
    done = watershed(project, "load")
    assert done.returncode == 0, done.stderr
    assert [line.partition(" in ")[0] for line in done.stdout.splitlines()] == [
        "good: loaded",
        "late: loaded",
        "old: loaded",
    ]

    # A failure is tolerated while the rows are young enough; publishing then tells.
    done = watershed(project, "load", "good", "old", OLD_MOOD="down")
    assert done.returncode == 0, done.stderr
    good, old = done.stdout.splitlines()
    assert good.startswith("good: loaded in")
    assert re.match(r"old: FAILED; its rows are \d+ min old, the marts go on with them: ", old)
    published = watershed(project, "publish", "--json")
    assert published.returncode == 1
    assert list(json.loads(published.stdout)["failed_sources"]) == ["old"]
    assert watershed(project, "publish").returncode == 0

    # Where no age is allowed, the job ends here; what the others brought stays.
    extractors = project / "extract" / "extractors.meltano.yml"
    extractors.write_text(extractors.read_text().replace("minutes: 30", "minutes: 0.1"))
    (project / "orchestrate").mkdir()
    (project / "orchestrate" / "notifications.yml").write_text(
        "routes: [{name: good, url: $OPS_MAIL_URL, sources: [good]}]"
    )
    moods = {"LATE_MOOD": "slow", "GOOD_MOOD": "down", "OPS_MAIL_URL": inbox.url}
    done = watershed(project, "load", "late", "good", **moods)
    assert done.returncode == 1
    assert inbox.subjects == ["Watershed: source good failed"]
    assert "tap-good cannot reach its database" in inbox.text
    assert "Retry: watershed load good\n" in inbox.text
    assert "Runbook: docs/runbooks/failed-load.md" in inbox.text
    good, late = done.stdout.splitlines()
    assert re.match(r"good: FAILED; its rows are \d+ min old, the marts wait for it: ", good)
    assert late.endswith("not done within its time limit of 0.1 min")
    with watershed_duckdb.connect(project / "output" / "warehouse.duckdb") as connection:
        runs = connection.execute(
            "select source, status, count(*) from ops.source_runs group by all order by all"
        ).fetchall()
        rows = connection.execute("select count(*) from good.things").fetchone()
    assert runs == [
        ("good", "failed", 1),
        ("good", "succeeded", 2),
        ("late", "failed", 1),
        ("late", "succeeded", 1),
        ("old", "failed", 1),
        ("old", "succeeded", 1),
    ]
    assert rows == (1,)


def test_a_source_that_comes_back_is_waited_for(toys):
    """R-3.4.2: what can pass is tried again, by itself."""
    done = watershed(toys, "load", "good", GOOD_MOOD="away", TRIES="2")
    assert (done.returncode, done.stdout.partition(" in ")[0]) == (0, "good: loaded")
    assert "it does not answer: check that it is up: tried again in 5 s" in done.stderr
    assert (toys / "output" / "good.tries").read_text() == "2"


def test_what_cannot_pass_is_not_tried_again(toys):
    done = watershed(toys, "load", "good", GOOD_MOOD="down")
    assert done.returncode == 1
    assert "tried again" not in done.stderr


@pytest.mark.parametrize(
    "line",
    [
        "PostgreSQL database 'a' at b:1: it does not answer (timeout expired): check that it is up",
        "PostgreSQL database 'a' at b:1: stream s: it broke off (EOF): run again",
        "MySQL database 'a' at b:1: it hung up: run again",
        "MongoDB database 'a' at b: no server answers that may be read (x): check that it is up",
        "PostgreSQL database 'a' at b:1: the SSH bastion c cannot reach it (x): check host",
    ],
)
def test_a_source_that_is_away_may_come_back(line):
    assert MAY_PASS.search(line)


def test_told_to_end_it_ends_all_that_it_started(toys):
    project = toys
    load = subprocess.Popen(
        [SCRIPTS / "watershed", "load", "good", "late"],
        cwd=project,
        env={**os.environ, "XDG_STATE_HOME": str(project / "output"), "LATE_MOOD": "slow"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    for line in load.stderr:
        if line.startswith("[late]") and "Running job" in line:
            break
    load.send_signal(signal.SIGTERM)
    load.communicate(timeout=60)
    assert load.returncode == 128 + signal.SIGTERM
    assert processes_named(str(project / "tap.py")) == []


def test_a_source_that_is_not_declared_is_one_line(toys):
    project = toys
    done = watershed(project, "load", "nowhere")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "watershed: source 'nowhere' is not declared in extract/extractors.meltano.yml: "
        "known are good, late, old\n"
    )


def test_an_annotation_that_nothing_reads_is_one_line(toys):
    project = toys
    path = project / "extract" / "extractors.meltano.yml"
    path.write_text(path.read_text().replace("largest_age_hours", "largest_age_days"))
    with pytest.raises(WatershedError, match="'largest_age_days' of tap-toy--old is not known"):
        read_sources(project)
