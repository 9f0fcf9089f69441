"""`watershed run`: a job alone, followed, ended in time, and told of truthfully."""

import json
import os
import signal
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import duckdb
import pytest
import sqlalchemy as sa

from watershed.runs.lease import Holder, Lease, LeaseHeldError
from watershed.runs.progress import Line
from watershed.runs.system_database import LEASES, RUNS, opened
from watershed.settings import Settings
from watershed_servers.postgres import PostgresServer
from watershed_servers.programs import processes_named

pytestmark = pytest.mark.trust

SCRIPTS = Path(sysconfig.get_path("scripts"))
JOBS = """
jobs:
- {name: el, tasks: ['watershed:load', 'watershed:publish']}
- {name: broken, tasks: ['nobody:does']}
plugins:
  utilities:
  - name: watershed
    namespace: watershed
    executable: SCRIPT
    commands: {load: load, publish: publish}
"""


def silent(line):
    """Hears what a lease announces, and does nothing about it."""
    del line


@pytest.fixture
def project(toys):
    """Toy sources, and jobs that load them."""
    (toys / "orchestrate").mkdir()
    jobs = toys / "orchestrate" / "jobs.meltano.yml"
    jobs.write_text(JOBS.replace("SCRIPT", str(SCRIPTS / "watershed")))
    meltano = toys / "meltano.yml"
    meltano.write_text(
        meltano.read_text().replace(
            "extractors.meltano.yml]", "extractors.meltano.yml, orchestrate/jobs.meltano.yml]"
        )
    )
    return toys


def start(project, *arguments, **environment):
    return subprocess.Popen(
        [SCRIPTS / "watershed", "run", *arguments],
        cwd=project,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process):
    out, err = process.communicate(timeout=180)
    return process.returncode, out, err


def until_it_says(process, word):
    for line in process.stderr:
        if word in line:
            return
    raise AssertionError(f"it never said {word!r}")


def until_a_slow_tap_runs(project):
    deadline = time.monotonic() + 60
    while not processes_named(str(project / "tap.py")):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def until_all_is_over(project):
    deadline = time.monotonic() + 120
    while processes_named(str(project / "tap.py")) or processes_named(str(project)):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def system_database(project):
    return opened(Settings.read({}, project), {})


def rows_of(project, table):
    with system_database(project).connect() as connection:
        return connection.execute(sa.select(table)).all()


def test_a_job_ends_with_its_table_and_its_exit_code_is_true(project):
    """R-3.1.2, R-3.4.1: what ran, how it ended and what it brought stays to be read."""
    code, out, err = ended(start(project, "el"))
    assert code == 0, err
    assert "good: loaded in" in err
    streams = {cells[0]: cells[1:] for cells in map(str.split, out.splitlines()) if cells}
    rows, _, *proof = streams["good-things"]
    assert (rows, proof) == ("1", ["not", "compared"])
    assert out.splitlines()[-1].startswith("job el: done in ")
    (run,) = rows_of(project, RUNS)
    assert (run.pipeline, run.exit_code, run.cause) == ("default:el", 0, None)
    assert rows_of(project, LEASES) == []
    with duckdb.connect(project / "output" / "warehouse.duckdb", read_only=True) as connection:
        told = connection.execute("select run_id, job, exit_code from ops.runs").fetchall()
    assert told == [(run.run_id, "el", 0)]
    (log,) = (project / "output" / "logs" / "runs").iterdir()
    said = [json.loads(line) for line in log.read_text().splitlines()]
    assert {"good", "late", "old", None} == {line["source"] for line in said}

    code, out, _ = ended(start(project, "el", "--json", GOOD_MOOD="down"))
    outcome = json.loads(out)
    assert (code, outcome["exit_code"]) == (1, 1)
    assert "good" in outcome["cause"]
    assert Path(outcome["log"]).exists()


def test_a_job_that_cannot_begin_is_one_line(project):
    code, out, err = ended(start(project, "broken"))
    assert (code, out) == (1, "")
    assert err.splitlines()[-1].startswith("watershed: the job did not begin: ")
    assert rows_of(project, LEASES) == []


def test_an_unknown_job_is_one_line(project):
    code, out, err = ended(start(project, "nothing"))
    assert (code, out) == (1, "")
    assert err == (
        "watershed: job 'nothing' is not declared in orchestrate/jobs.meltano.yml: "
        "known are broken, el\n"
    )


def test_a_dry_run_says_what_would_run(project):
    code, out, _ = ended(start(project, "el", "--dry-run"))
    assert (code, out) == (0, "watershed:load\nwatershed:publish\n")
    assert not (project / ".meltano").exists()


def test_a_second_start_is_refused_and_names_the_first(project):
    first = start(project, "el", LATE_MOOD="slow")
    until_a_slow_tap_runs(project)
    code, out, err = ended(start(project, "el"))
    assert (code, out) == (1, "")
    assert f"default:el runs on {os.uname().nodename} (process {first.pid}) since" in err
    first.send_signal(signal.SIGTERM)
    code, _, err = ended(first)
    assert code == 128 + signal.SIGTERM
    assert "told to end" in err
    until_all_is_over(project)
    assert rows_of(project, LEASES) == []
    (run,) = rows_of(project, RUNS)
    assert (run.exit_code, run.cause) == (143, "it was told to end")


def test_killed_it_takes_its_job_along_and_the_next_run_goes_on(project):
    first = start(project, "el", LATE_MOOD="slow")
    until_a_slow_tap_runs(project)
    first.kill()
    first.communicate()
    until_all_is_over(project)
    code, _, err = ended(start(project, "el"))
    assert code == 0, err
    assert "ended without saying so: going on from there" in err
    killed, second = sorted(rows_of(project, RUNS), key=lambda run: run.exit_code is not None)
    assert (killed.exit_code, killed.cause, second.exit_code) == (None, "it was killed", 0)


def test_a_job_is_ended_when_its_time_is_up(project):
    code, out, _ = ended(start(project, "el", "--time-limit", "0.1", LATE_MOOD="slow"))
    assert code != 0
    assert "FAILED after" in out
    assert "not done within its time limit of 0.1 min" in out
    until_all_is_over(project)


def test_the_projects_env_file_is_read(project):
    (project / ".env").write_text("GOOD_MOOD=down\n")
    code, out, _ = ended(start(project, "el"))
    assert code == 1
    assert "tap-good cannot reach its database" in out


TWO_AT_ONCE = """
import sys
from pathlib import Path
from watershed.runs.lease import Lease, LeaseHeldError
from watershed.runs.system_database import opened
from watershed.settings import Settings
engine = opened(Settings.read({}, Path(sys.argv[1])), {"MELTANO_DATABASE_URI": sys.argv[2]})
sys.stdin.readline()
try:
    Lease(engine, "prod:all", sys.argv[3], silence_seconds=1).acquire(lambda line: None)
    print("won", flush=True)
except LeaseHeldError:
    print("refused", flush=True)
sys.stdin.readline()
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, toys):
    """The address of a system database."""
    if request.param == "sqlite":
        return f"sqlite:///{toys}/shared.db"
    it = request.getfixturevalue("postgres")
    return (
        f"postgresql+psycopg2://{it.user}:{it.password}@{it.host}:{it.port}/{it.dbname}"
        f"?sslmode=verify-full&sslrootcert={it.ca_file}"
    )


@pytest.fixture(scope="module")
def postgres(tmp_path_factory):
    server = PostgresServer(tmp_path_factory.mktemp("postgres"), is_throwaway=True)
    server.start()
    yield server.database()
    server.stop()


def test_of_two_that_start_at_once_one_runs(toys, database):
    """R-3.1.2: they never overlap."""
    command = [sys.executable, "-c", TWO_AT_ONCE, str(toys), database]
    starters = [
        subprocess.Popen(
            [*command, f"run-{number}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for number in range(4)
    ]
    for starter in starters:
        starter.stdin.write("go\n")
        starter.stdin.flush()
    said = sorted(starter.stdout.readline() for starter in starters)
    for starter in starters:
        starter.communicate("end\n")
    assert said == ["refused\n"] * 3 + ["won\n"]


def elsewhere(toys, **changed):
    """A lease that a run on another machine has."""
    engine = opened(Settings.read({}, toys), {})
    holder = vars(Holder.here("other")) | {"machine": "elsewhere/boot/ns", **changed}
    with engine.begin() as connection:
        connection.execute(sa.insert(LEASES), {"pipeline": "dev:all", **holder})
    return engine


def test_a_run_of_another_machine_that_fell_silent_is_followed(toys):
    """Whatever its clock said: nothing but its beats is looked at."""
    engine = elsewhere(toys, started_at="2999-01-01T00:00:00+00:00")
    said = []
    lease = Lease(engine, "dev:all", "ours", silence_seconds=1)
    lease.acquire(said.append)
    assert said[-1] == (
        f"the run on elsewhere (process {os.getpid()}) ended without saying so: going on from there"
    )
    lease.release()


def test_a_run_of_another_machine_that_beats_is_not_disturbed(toys):
    engine = elsewhere(toys)
    beat = sa.update(LEASES).values(beats=LEASES.c.beats + 1)

    def beat_once(line):
        del line
        with engine.begin() as connection:
            connection.execute(beat)

    original = Lease(engine, "dev:all", "ours", silence_seconds=20)
    with pytest.raises(LeaseHeldError, match="runs on elsewhere"):
        original.acquire(beat_once)


def test_who_lost_the_lease_is_told(toys, monkeypatch):
    monkeypatch.setattr("watershed.runs.lease.BEAT_SECONDS", 0.05)
    engine = opened(Settings.read({}, toys), {})
    lease, told = Lease(engine, "dev:all", "ours"), []
    lease.acquire(silent)
    lease.keep(lambda: told.append("lost"))
    with engine.begin() as connection:
        connection.execute(sa.update(LEASES).values(run_id="another"))
    deadline = time.monotonic() + 10
    while not told and time.monotonic() < deadline:
        time.sleep(0.05)
    lease.release()
    assert told == ["lost"]
    assert engine.connect().execute(sa.select(LEASES.c.run_id)).scalar() == "another"


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        ("2026-11-27T18:59:23.2Z [info     ] watershed    good: loaded in 3 s",
         Line("info", None, "watershed", "good: loaded in 3 s")),
        ("2026-11-27T18:59Z [info  ] watershed [shop] 2026-11-27T18:59Z [error ] tap-x it broke",
         Line("error", "shop", "tap-x", "it broke")),
        ("\x1b[2m2026-11-27T18:59:23.2Z\x1b[0m [\x1b[32minfo\x1b[0m] meltano  Run completed",
         Line("info", None, "meltano", "Run completed")),
        ("Traceback (most recent call last):",
         Line("info", None, "meltano", "Traceback (most recent call last):")),
    ],
)  # fmt: skip
def test_a_line_of_meltano_is_taken_apart(raw, line):
    assert Line.read(raw + "\n") == line
