"""Record batches become files: typed where that is exact, bounded in number, never half-written."""

import hashlib
import hmac
import os
import subprocess
import sys

import duckdb
import pyarrow as pa
import pytest

from watershed_bulk.columns import Action, BulkColumn
from watershed_bulk.exceptions import BatchFolderError
from watershed_bulk.folder import BatchFolder
from watershed_bulk.writer import BatchWriter

pytestmark = pytest.mark.extract

SALT = b"a salt that is longer than one block of the hash, which HMAC hashes first: 0123456789"
NUMBER = BulkColumn(
    "n", "try_cast({} as integer)", inexact="not regexp_full_match({}, '-?[0-9]+')", text="{}"
)
DOCUMENT = BulkColumn("d", "try_cast({} as json)", is_null_if_inexact=True, text="{}")


@pytest.fixture
def folder(tmp_path):
    return BatchFolder(tmp_path / "batches", waiting_bytes=0)


def batch(*texts):
    return pa.record_batch([pa.array(texts, pa.string())], names=["raw"])


def rows(file):
    return duckdb.sql(f"from '{file.path}'").fetchall()


def test_a_column_is_typed_in_files_whose_values_all_fit_and_text_in_others(folder):
    writer = BatchWriter(folder)
    typed = writer.write("s-t", [batch("1", None), batch("-7")], [NUMBER], {})
    text = writer.write("s-t", [batch("1", "1.5", None)], [NUMBER], {})
    assert rows(typed) == [(1,), (None,), (-7,)]
    assert rows(text) == [("1",), ("1.5",), (None,)]
    assert (typed.rows, text.rows) == (3, 3)
    assert typed.bytes == typed.path.stat().st_size


def test_a_column_whose_conversion_gives_null_is_text_in_files_that_hold_what_has_no_type(folder):
    writer = BatchWriter(folder)
    typed = writer.write("s-t", [batch("[1.50]", None, "null")], [DOCUMENT], {})
    text = writer.write("s-t", [batch("[1.50]", None, "[")], [DOCUMENT], {})
    types = [duckdb.sql(f"describe from '{f.path}'").fetchall()[0][1] for f in (typed, text)]
    assert types == ["JSON", "VARCHAR"]
    assert rows(typed) == [("[1.50]",), (None,), ("null",)]
    assert rows(text) == [("[1.50]",), (None,), ("[",)]


@pytest.mark.parametrize("salt", [b"short", SALT])
def test_a_hash_is_that_of_the_standard_and_a_mask_hides_even_the_length(folder, salt):
    columns = [BulkColumn("raw", text="{}", action=Action.HASH)]
    values = ("zoë@example.org", "", None, "x" * 10_000)
    expected = [v and hmac.new(salt, v.encode(), hashlib.sha256).hexdigest() for v in values]
    expected[1] = hmac.new(salt, b"", hashlib.sha256).hexdigest()
    file = BatchWriter(folder, salt).write("s-t", [batch(*values)], columns, {})
    assert [value for (value,) in rows(file)] == expected
    columns = [BulkColumn("raw", text="{}", action=Action.MASK)]
    file = BatchWriter(folder).write("s-t", [batch("secret", None)], columns, {})
    assert rows(file) == [("***",), (None,)]


def test_what_a_file_says_of_itself_stands_in_its_footer(folder):
    file = BatchWriter(folder).write("s-t", [batch("1")], [NUMBER], {"read_at": "it's noon"})
    found = duckdb.sql(f"select decode(key), decode(value) from parquet_kv_metadata('{file.path}')")
    assert ("read_at", "it's noon") in found.fetchall()


def test_a_full_disk_is_one_line_and_leaves_no_half_file(folder):
    program = (
        "import resource, sys, pathlib, signal, pyarrow as pa\n"
        "from watershed_bulk.folder import BatchFolder\n"
        "from watershed_bulk.writer import BatchWriter\n"
        "from watershed_bulk.columns import BulkColumn\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "values = pa.array([str(i * 7919) for i in range(100000)])\n"
        "data = pa.record_batch([values], names=['raw'])\n"
        "folder = BatchFolder(pathlib.Path(sys.argv[1]), 0)\n"
        "BatchWriter(folder).write('s-t', [data], [BulkColumn('raw')], {})\n"
    )
    root = folder.path.parent
    done = subprocess.run(
        [sys.executable, "-c", program, root], capture_output=True, text=True, check=False
    )
    assert "BatchFolderError: stream s-t: a batch cannot be written to" in done.stderr
    assert [path for path in root.rglob("*") if path.is_file()] == []


def test_no_more_waits_than_may_and_a_file_that_is_taken_makes_room(tmp_path, monkeypatch):
    monkeypatch.setattr("watershed_bulk.folder._SECONDS_OF_PATIENCE", 0.2)
    folder = BatchFolder(tmp_path, waiting_bytes=1)
    writer = BatchWriter(folder)
    first = writer.write("s-t", [batch("1")], [NUMBER], {})
    with pytest.raises(BatchFolderError, match="the target takes none of them"):
        writer.write("s-t", [batch("2")], [NUMBER], {})
    first.path.unlink()
    assert rows(writer.write("s-t", [batch("2")], [NUMBER], {})) == [(2,)]


def test_folders_of_dead_runs_go_the_empty_ones_at_once_the_others_an_hour_later(tmp_path):
    (dead,) = {int(subprocess.run(["sh", "-c", "echo $$"], capture_output=True, check=True).stdout)}
    empty, fresh, old, ours = (
        tmp_path / f"tap-{pid}-{name}"
        for pid, name in ((dead, "a"), (dead, "b"), (dead, "c"), (os.getpid(), "d"))
    )
    for folder in (empty, fresh, old, ours):
        folder.mkdir()
    for folder in (fresh, old):
        (folder / "file.parquet").touch()
    os.utime(old, (0, 0))
    BatchFolder(tmp_path, 0).close()
    assert set(tmp_path.iterdir()) == {fresh, ours}
