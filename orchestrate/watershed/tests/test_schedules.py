"""R-3.4.1: jobs start when they are due, in their zone, once, from cron's bare environment too."""

import json
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watershed.exceptions import WatershedError
from watershed.schedules.declared import Schedule, read_schedules
from watershed.schedules.render import to_crontab
from watershed.schedules.starts import standing

pytestmark = pytest.mark.trust

PROJECT = """
project_id: schedule-test
default_environment: dev
send_anonymous_usage_stats: false
cli: {disable_version_check: true}
environments: [{name: dev}]
include_paths: [orchestrate/*.meltano.yml]
plugins:
  utilities:
  - name: bell
    namespace: bell
    executable: ./bell.sh
    commands: {ring: {args: ring}}
"""
JOBS = """
jobs: [{name: all, tasks: ['bell:ring']}]
schedules:
- {name: hourly, job: all, interval: '@hourly'}
- name: daily
  job: all
  interval: '30 2 * * *'
  annotations: {watershed: {time_zone: Europe/Berlin}}
- {name: by_hand, job: all, interval: '@manual'}
"""
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"]
moments = st.datetimes(
    datetime(2024, 1, 1), datetime(2029, 1, 1), timezones=st.just(UTC)
)  # fmt: skip


@pytest.fixture
def scheduled(project):
    """A project with three schedules of a job that rings a bell."""
    (project.root / "meltano.yml").write_text(PROJECT)
    (project.root / "orchestrate").mkdir()
    (project.root / "orchestrate" / "jobs.meltano.yml").write_text(JOBS)
    bell = project.root / "bell.sh"
    bell.write_text("#!/bin/sh\necho rung >> rings\n")
    bell.chmod(0o755)
    return project


def handled(project, name, moment):
    folder = project.settings.output / "schedules"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps({"handled_at": moment.isoformat()}))
    return path


def rings(project):
    path = project.root / "rings"
    return path.read_text().split() if path.exists() else []


def local_time_exists(moment, zone):
    return moment.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == moment.replace(
        tzinfo=None
    )


@given(moments, st.integers(0, 23), st.integers(0, 59), st.sampled_from(ZONES))
def test_a_daily_start_comes_once_a_day_at_its_local_time(moment, hour, minute, zone_name):
    zone = ZoneInfo(zone_name)
    start = Schedule("daily", "all", f"{minute} {hour} * * *", zone_name).next_after(moment)
    # By hand, without cron: the first of the local days around it whose time is still to come.
    today = moment.astimezone(zone).date()
    named = [
        datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
        for day in (today + timedelta(days=shift) for shift in (-1, 0, 1, 2))
    ]
    expected = min(at for at in (each.astimezone(UTC) for each in named) if at > moment)
    if all(local_time_exists(each, zone) for each in named):
        assert start.astimezone(UTC) == expected
    else:  # a time that the clock skips comes when it has skipped it
        assert timedelta() <= expected - start.astimezone(UTC) <= timedelta(hours=1)


@given(moments, st.sampled_from(ZONES), st.sampled_from(["0 * * * *", "*/15 * * * *"]))
def test_an_hourly_start_knows_no_gap_and_no_double_when_clocks_change(moment, zone_name, cron):
    step = timedelta(minutes=60 if cron.startswith("0") else 15)
    schedule = Schedule("hourly", "all", cron, zone_name)
    first = schedule.next_after(moment).astimezone(UTC)
    second = schedule.next_after(first).astimezone(UTC)
    half_hour = zone_name == "Australia/Lord_Howe"  # its clock is put on by half an hour
    assert second - first == step or (half_hour and second - first in (step / 2, step * 1.5))


@given(moments, st.sampled_from(ZONES), st.sampled_from(["30 2 * * *", "15 */3 * * 1-5"]))
def test_no_start_lies_between_the_last_and_the_next(moment, zone_name, cron):
    schedule = Schedule("any", "all", cron, zone_name)
    last, following = schedule.last_until(moment), schedule.next_after(moment)
    assert last.astimezone(UTC) <= moment < following.astimezone(UTC)
    assert schedule.next_after(last).astimezone(UTC) == following.astimezone(UTC)


@given(moments, st.sampled_from(ZONES), st.integers(0, 59), st.integers(0, 23))
def test_cron_asks_in_the_minute_of_each_start(moment, zone_name, minute, hour):
    schedule = Schedule("any", "all", f"{minute} {hour} * * *", zone_name)
    asked = to_crontab(SETTINGS, [schedule]).splitlines()[1].split()[0].split(",")
    assert str(schedule.next_after(moment).astimezone(UTC).minute) in asked


class SETTINGS:
    project_root = output = Path("project")
    meltano_environment = None


def test_a_rendered_line_works_in_the_bare_environment_of_cron_and_catches_up_once(scheduled):
    handled(scheduled, "hourly", datetime.now(UTC) - timedelta(hours=7))
    (scheduled.root / "bell.sh").write_text("#!/bin/sh\necho rung >> rings\nread line < gate\n")
    subprocess.run(["mkfifo", scheduled.root / "gate"], check=True)
    (line,) = [
        line
        for line in scheduled.run("schedule", "render", "hourly").stdout.splitlines()
        if not line.startswith("#")
    ]
    command = ["env", "-i", "sh", "-c", line.split(maxsplit=5)[5].replace(r"\%", "%")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as first:
        wait_until(lambda: rings(scheduled))
        refused = scheduled.run("schedule", "run", "hourly", "--now")
        (scheduled.root / "gate").write_text("\n")
        assert first.communicate() == (b"", None)
    assert first.returncode == 0
    (line,) = refused.stderr.splitlines()
    assert "schedule hourly runs since" in line
    assert (refused.returncode, refused.stdout) == (1, "")
    # Seven starts were missed, and one run is enough: nothing is due now.
    assert subprocess.run(command, check=True, capture_output=True).stdout == b""
    assert rings(scheduled) == ["rung"]
    (row,) = json.loads(scheduled.run("schedule", "list", "hourly", "--json").stdout)
    assert (row["exit_code"], row["due_since"]) == (0, None)


def test_a_missed_start_is_shown(scheduled):
    handled(scheduled, "daily", datetime.now(UTC) - timedelta(days=3))
    lines = scheduled.run("schedule", "list").stdout.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["daily", "hourly"]
    assert "never ran, MISSED that of" in lines[0]
    schedule = read_schedules(scheduled.root)["daily"]
    assert standing(scheduled.settings, schedule, datetime.now(UTC)).due_since.hour in {2, 3}


def wait_until(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_next_is_told_in_order_and_github_gets_utc_only(scheduled):
    rows = json.loads(scheduled.run("schedule", "next", "--count", "3", "--json").stdout)
    times = [datetime.fromisoformat(row["at"]) for row in rows]
    assert times == sorted(times)
    assert len(times) == 6
    refused = scheduled.run("schedule", "render", "--format", "github-actions")
    assert refused.returncode == 1
    assert "daily is of Europe/Berlin" in refused.stderr
    done = scheduled.run("schedule", "render", "hourly", "--format", "github-actions")
    assert "- cron: '0 * * * *'" in done.stdout


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("Europe/Berlin", "Europe/Bonn", "'Europe/Bonn' is no time zone"),
        ("30 2 * * *", "30 2 31 2 *", "never comes"),
        ("'@hourly'", "hourly", "'hourly' is not cron's five fields"),
        ("time_zone", "timezone", "'timezone' of schedule daily is not known"),
        ("name: hourly, job: all", "name: hourly, job: al", "starts 'al', which is no job"),
    ],
)
def test_what_cannot_be_meant_is_one_line(scheduled, before, after, said):
    path = scheduled.root / "orchestrate" / "jobs.meltano.yml"
    path.write_text(JOBS.replace(before, after))
    with pytest.raises(WatershedError, match=said):
        read_schedules(scheduled.root)
