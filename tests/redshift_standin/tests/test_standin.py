"""The stand-in as a whole starts, stops, and keeps what it holds."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from redshift_standin.__main__ import describe
from redshift_standin.standin import Standin

pytestmark = pytest.mark.redshift

TESTS = Path(__file__).parents[2]


def test_tables_survive_a_restart_and_nothing_runs_after_a_stop(tmp_path, connect_by_psycopg):
    standin = Standin(tmp_path / "redshift", is_throwaway=True)
    with standin, connect_by_psycopg(standin, autocommit=True) as connection:
        connection.execute("create table t distkey(id) as select 1 as id")
        port = standin.port
    assert not standin.is_running()
    with standin, connect_by_psycopg(standin) as connection:
        assert standin.port == port
        assert connection.execute("select id from t").fetchall() == [(1,)]
        assert connection.execute("select diststyle from svv_table_info").fetchall() == [
            ("KEY(id)",)
        ]


def test_the_settings_that_are_printed_hold_no_password(redshift):
    lines = dict(line.split("=", 1) for line in describe(redshift).splitlines())
    assert Path(lines["REDSHIFT_PASSWORD_FILE"]).read_text() == redshift.password
    assert redshift.password not in describe(redshift)
    assert int(lines["REDSHIFT_PORT"]) == redshift.port
    assert redshift.password_file.stat().st_mode & 0o077 == 0


def test_an_unknown_command_is_told_in_one_line():
    done = subprocess.run(
        [sys.executable, "-m", "redshift_standin", "sideways"],
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "usage: python -m redshift_standin up|down\n")
