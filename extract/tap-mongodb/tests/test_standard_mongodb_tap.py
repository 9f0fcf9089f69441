"""The Singer SDK's own tests of a tap, against a live server."""

import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from bson import Binary, Decimal128, Int64, ObjectId

from watershed_tap.testing import pass_standard_tests
from watershed_tap_mongodb.settings import Settings
from watershed_tap_mongodb.source import MongoSource
from watershed_tap_mongodb.tap import TapMongoDB

pytestmark = pytest.mark.extract

EVERYTHING: dict[str, Any] = {
    "number": 1,
    "large": Int64(2),
    "ratio": 0.1,
    "price": Decimal128("12.50"),
    "is_good": True,
    "name": "Ann",
    "moment": dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC),
    "other_id": ObjectId("6b034be4534271b0d4260c64"),
    "visitor": Binary.from_uuid(uuid.UUID(int=7)),
    "picture": b"\0\xff",
    "nested": {"a": [1, None]},
}


@pytest.fixture(autouse=True)
def closed_sources(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The SDK's tests never end the taps that they make, as our command line does."""
    opened: list[MongoSource] = []

    def open_source(source: MongoSource, settings: Settings) -> None:
        source.settings = settings
        opened.append(source)

    monkeypatch.setattr(MongoSource, "__init__", open_source)
    yield
    for source in opened:
        source.close()


def test_passes_every_standard_test(tap, db, subtests: pytest.Subtests) -> None:
    db.everything.insert_one(EVERYTHING)
    pass_standard_tests(TapMongoDB, dict(tap.config), subtests)
