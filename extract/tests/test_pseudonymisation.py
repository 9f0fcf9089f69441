"""R-3.5.4: personal data is hashed, masked or dropped before anything is written."""

import hashlib
import hmac
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bson import Int64

from watershed_tap.testing import Output, Runner

pytestmark = pytest.mark.extract

SALT = "a secret of the tests, of which nobody else knows"
PEOPLE = [(1, "zoë@example.org", "+41 44 668 18 00", 7), (2, None, None, None), (3, "", "-", -1)]
Make = Callable[[], tuple[Runner, str]]


def hashed(value: object) -> str | None:
    if value is None:
        return None
    return hmac.new(SALT.encode(), str(value).encode(), hashlib.sha256).hexdigest()


@pytest.fixture
def in_postgres(postgres_tap: Runner) -> Make:
    def make() -> tuple[Runner, str]:
        with postgres_tap.database.connect(autocommit=True) as connection:
            connection.execute(
                "create table people (id int primary key, mail text, tel text, n int)"
            )
            for row in PEOPLE:
                connection.execute("insert into people values (%s, %s, %s, %s)", row)
        return postgres_tap, "public-people"

    return make


@pytest.fixture
def in_mysql(mysql_tap: Runner) -> Make:
    def make() -> tuple[Runner, str]:
        with mysql_tap.database.connect() as connection, connection.cursor() as cursor:
            cursor.execute(
                "create table people (id int primary key, mail varchar(99), tel text, n bigint)"
            )
            cursor.executemany("insert into people values (%s, %s, %s, %s)", PEOPLE)
        return mysql_tap, f"{mysql_tap.database.dbname}-people"

    return make


@pytest.fixture
def in_mongodb(mongodb_tap: Runner) -> Make:
    def make() -> tuple[Runner, str]:
        documents = [
            {"_id": number, "mail": mail, "tel": tel, "n": n} for number, mail, tel, n in PEOPLE
        ]
        documents[0]["n"] = Int64(7)
        with mongodb_tap.database.connect() as client:
            client[mongodb_tap.database.dbname].people.insert_many(documents)
        return mongodb_tap, f"{mongodb_tap.database.dbname}-people"

    return make


@pytest.mark.parametrize("source", ["in_postgres", "in_mysql", "in_mongodb"])
def test_equal_values_have_equal_hashes_in_every_source_on_either_path(
    request: pytest.FixtureRequest,
    source: str,
    make_warehouse: Callable[[str], Any],
    in_files: dict[str, Any],
) -> None:
    tap, stream = request.getfixturevalue(source)()
    private = {
        "pseudonymise": {stream: {"mail": "hash", "tel": "mask", "n": "hash"}},
        "pseudonymise_salt": SALT,
    }
    by_records, by_files = make_warehouse("records"), make_warehouse("files")
    in_files["batch_config"]["storage"]["root"] = by_files.batches.as_uri()
    for warehouse, settings in ((by_records, private), (by_files, in_files | private)):
        output = tap.sync(settings=settings)
        assert_nothing_clear_in(output, by_files.batches)
        warehouse.load(output)
        assert set(warehouse.rows("select mail, tel, n from raw.people")) == {
            (hashed("zoë@example.org"), "***", hashed(7)),
            (hashed(""), "***", hashed(-1)),
            (None, None, None),
        }


def assert_nothing_clear_in(output: Output, folder: Path) -> None:
    for clear in ("zoë", "668 18"):
        assert clear not in output.stdout
        assert json.dumps(clear)[1:-1] not in output.stdout
        assert clear not in output.stderr
        for file in folder.rglob("*"):
            assert not file.is_file() or clear.encode() not in file.read_bytes()


def test_a_dropped_column_is_nowhere(in_postgres: Make, in_files: dict[str, Any]) -> None:
    tap, stream = in_postgres()
    private = {"pseudonymise": {stream: {"mail": "drop", "tel": "drop"}}}
    for settings in (private, in_files | private):
        output = tap.sync(settings=settings)
        assert list(output.schema(stream)) == ["id", "n"]


@pytest.mark.parametrize(
    ("columns", "salt", "problem"),
    [
        ({"mail": "hash"}, None, "hashing needs a secret of 16 characters or more"),
        ({"mail": "hash"}, "short", "hashing needs a secret of 16 characters or more"),
        ({"mali": "hash"}, SALT, "names column 'mali', which does not exist"),
        ({"id": "mask"}, SALT, "cannot mask column 'id', which is part of the key"),
        ({"id": "drop"}, SALT, "cannot drop column 'id', which is part of the key"),
        ({"mail": "encrypt"}, SALT, "must be one of"),
    ],
)
def test_what_would_leave_a_column_clear_or_a_row_without_key_is_one_line(
    in_postgres: Make, columns: dict[str, str], salt: str | None, problem: str
) -> None:
    tap, stream = in_postgres()
    settings = {"pseudonymise": {stream: columns}, "pseudonymise_salt": salt}
    error = tap(settings={name: value for name, value in settings.items() if value}).error
    assert problem in error
    assert SALT not in error


def test_a_key_that_is_hashed_still_tells_rows_apart(
    in_postgres: Make, in_files: dict[str, Any], make_warehouse: Callable[[str], Any]
) -> None:
    tap, stream = in_postgres()
    private = {"pseudonymise": {stream: {"id": "hash"}}, "pseudonymise_salt": SALT}
    warehouse = make_warehouse("hashed")
    for _ in range(2):
        warehouse.load(tap.sync(settings=in_files | private))
    assert set(warehouse.rows("select id from raw.people")) == {(hashed(n),) for n in (1, 2, 3)}
