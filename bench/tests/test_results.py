"""Results are kept beside those of other routes, and the document shows what the file holds."""

import json
import sys

import pytest

from watershed_bench import measure, report, results
from watershed_bench.arithmetic import Spread
from watershed_bench.measure import Command, RunFailedError, Usage
from watershed_bench.results import Result, Round

pytestmark = pytest.mark.extract


def usage(client, server=0.0, wall=1.0):
    return Usage(
        wall_s=wall, client_cpu_s=client, server_cpu_s=server, peak_mb=9, peak_process_mb=5
    )


def rounds(*seconds):
    return [Round(4000, usage(whole, wall=2 * whole), 1000, usage(less)) for less, whole in seconds]


OURS = Result(source="postgres", route="watershed", version="1", rows=4000, command="`ours`")
PEER = Result(source="postgres", route="dlt", version="2", rows=4000, command="`theirs`")


def test_a_route_is_compared_with_ours_round_by_round():
    ours, theirs = rounds((1, 4), (1, 7)), rounds((1, 7), (1, 25))
    compared = results.compared(PEER, theirs, ours, counts_server=True)
    assert compared.marginal_cpu_us_per_row == 5000
    assert compared.cpu_ratio == Spread(median=3, lowest=2, highest=4)
    assert compared.wall_ratio == Spread(median=2.661, lowest=1.75, highest=3.571)


def test_where_the_servers_time_means_nothing_it_does_not_count():
    usages = [usage(2, 100), usage(4, 300)]
    assert results.with_usages(OURS, usages).cpu_s == 203
    client_only = results.with_usages(OURS, usages, counts_server=False)
    assert (client_only.cpu_s, client_only.server_cpu_s) == (3, None)


def test_a_commit_is_shown_by_what_takes_its_time():
    seconds = {"planning": 1, "upload": 0.5, "ddl": 0.25, "commit": 0.25, "copy": 6, "rows": 2}
    commit = Result(
        source="redshift", route="watershed-commit", version="1", rows=4000, seconds=seconds
    )
    rendered = report.render([commit])
    assert "### Where the time of a commit to Redshift goes" in rendered
    assert "| 1.00 | 0.50 | 0.25 | 0.25 | 6.00 | 2.00 | 20% | 40% |" in rendered
    assert "a table read whole" not in rendered


def test_a_new_result_replaces_that_of_its_route_only(tmp_path):
    file = tmp_path / "results" / "latest.json"
    compared = results.compared(PEER, rounds((1, 7)), rounds((1, 4)), counts_server=True)
    results.write(file, [OURS, PEER])
    kept = results.write(file, [compared])
    assert kept == results.read(file) == [OURS, compared]
    entries = json.loads(file.read_text())
    named = {"source", "route", "version", "rows", "cpu_s", "wall_s", "peak_mb"}
    named |= {"marginal_cpu_us_per_row", "types_lost"}
    assert all(named <= set(entry) for entry in entries)


def test_the_document_shows_figures_losses_commands_and_failures(tmp_path):
    document = tmp_path / "benchmarks.md"
    document.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    shown = results.with_usages(OURS, [usage(1, 2)])
    failed = Result(**{**vars(PEER), "failed": "a | b", "types_lost": ["uid: uuid"]})
    report.render_into(document, [shown, failed])
    text = document.read_text()
    assert text.startswith(f"before\n{report.BEGIN}\n")
    assert text.endswith(f"{report.END}\nafter\n")
    assert "old" not in text
    assert "| `watershed` | 4,000 | - | - | 1.0 + 2.0 | 1.0 | - | 9 | 5 |" in text
    assert "- `dlt`: uid: uuid" in text
    assert "- `dlt` 2: `theirs`. **failed**: a \\| b." in text


def test_a_document_without_markers_is_left_alone(tmp_path):
    document = tmp_path / "benchmarks.md"
    document.write_text("words\n")
    with pytest.raises(ValueError, match="must stand in it"):
        report.render_into(document, [OURS])
    assert document.read_text() == "words\n"


def run(tmp_path, program, seconds=60):
    command = Command([sys.executable, "-c", program])
    return measure.run(command, server_pids=[], log_file=tmp_path / "log", seconds_allowed=seconds)


def test_a_childs_time_and_memory_count_as_the_commands(tmp_path):
    child = "x = bytearray(80 * 2**20); sum(range(3_000_000)); import time; time.sleep(0.3)"
    program = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    found = run(tmp_path, program)
    assert found.client_cpu_s > 0.02
    assert found.peak_mb >= found.peak_process_mb > 80


def test_a_command_that_fails_says_why(tmp_path):
    with pytest.raises(RunFailedError, match="exit 3: it broke"):
        run(tmp_path, "import sys; print('it broke'); sys.exit(3)")


def test_what_a_command_says_is_published_without_secrets_and_places():
    said = f"\x1b[31mno {measure.REPOSITORY}/bench for p4ss\x1b[0m\n\n(Background on this error)\n"
    assert measure.complaint(said, {"PGPASSWORD": "p4ss"}) == "no bench for ***"


def test_a_command_that_takes_too_long_is_ended(tmp_path):
    with pytest.raises(RunFailedError, match="longer than 0 s"):
        run(tmp_path, "import signal; signal.pause()", seconds=0)
