"""R-3.4.2: the sources load at the same time, and one that is down or slow stops no other."""

import json
import os
import re
import signal
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import watershed_duckdb
from watershed.exceptions import WatershedError
from watershed.sources import read_sources
from watershed_servers.programs import processes_named

pytestmark = pytest.mark.trust

SCRIPTS = Path(sysconfig.get_path("scripts"))
TAP = """#!{python}
import json, os, sys, time
name = os.environ["SOURCE_NAME"]
mood = os.environ.get(name.upper() + "_MOOD")
if mood == "down":
    sys.exit("tap-" + name + " cannot reach its database")
if mood == "slow":
    time.sleep(600)
stream = name + "-things"
schema = {{"properties": {{"id": {{"type": "integer"}}}}}}
for message in (
    {{"type": "SCHEMA", "stream": stream, "schema": schema, "key_properties": ["id"]}},
    {{"type": "RECORD", "stream": stream, "record": {{"id": 1}}}},
    {{"type": "STATE", "value": {{"bookmarks": {{stream: {{"at": 1}}}}}}}},
):
    print(json.dumps(message), flush=True)
"""
PROJECT = """
project_id: load-test
default_environment: dev
send_anonymous_usage_stats: false
cli: {disable_version_check: true}
environments: [{name: dev}]
state_backend: {uri: 'duckdb://${MELTANO_PROJECT_ROOT}/output/warehouse.duckdb'}
include_paths: [extract/extractors.meltano.yml]
plugins:
  loaders:
  - name: target-duckdb
    namespace: target_duckdb
    executable: TARGET
    settings: [{name: warehouse}, {name: state_id}]
    config:
      warehouse: ${MELTANO_PROJECT_ROOT}/output/warehouse.duckdb
      state_id: ${MELTANO_ENVIRONMENT}:${MELTANO_EXTRACTOR_NAME}-to-${MELTANO_LOADER_NAME}
"""
EXTRACTORS = """
plugins:
  extractors:
  - name: tap-toy
    namespace: tap_toy
    executable: ./tap.py
    capabilities: [state]
  - {name: tap-toy--good, inherit_from: tap-toy, env: {SOURCE_NAME: good}}
  - name: tap-toy--old
    inherit_from: tap-toy
    env: {SOURCE_NAME: old}
    annotations: {watershed: {largest_age_hours: 24}}
  - name: tap-toy--late
    inherit_from: tap-toy
    env: {SOURCE_NAME: late}
    annotations: {watershed: {time_limit_minutes: 30}}
"""


@pytest.fixture
def project(tmp_path):
    (tmp_path / "meltano.yml").write_text(
        PROJECT.replace("TARGET", str(SCRIPTS / "watershed-target-duckdb"))
    )
    (tmp_path / "extract").mkdir()
    (tmp_path / "extract" / "extractors.meltano.yml").write_text(EXTRACTORS)
    (tmp_path / "tap.py").write_text(TAP.format(python=sys.executable))
    (tmp_path / "tap.py").chmod(0o755)
    return tmp_path


def watershed(project, *arguments, **environment):
    return subprocess.run(
        [SCRIPTS / "watershed", *arguments],
        cwd=project,
        env={**os.environ, "XDG_STATE_HOME": str(project / "output"), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_one_source_that_fails_stops_no_other_and_a_person_hears_of_it(project, inbox):
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


def test_told_to_end_it_ends_all_that_it_started(project):
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


def test_a_source_that_is_not_declared_is_one_line(project):
    done = watershed(project, "load", "nowhere")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "watershed: source 'nowhere' is not declared in extract/extractors.meltano.yml: "
        "known are good, late, old\n"
    )


def test_an_annotation_that_nothing_reads_is_one_line(project):
    path = project / "extract" / "extractors.meltano.yml"
    path.write_text(path.read_text().replace("largest_age_hours", "largest_age_days"))
    with pytest.raises(WatershedError, match="'largest_age_days' of tap-toy--old is not known"):
        read_sources(project)
