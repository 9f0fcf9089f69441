"""The Singer SDK's own tests of a tap, against a live server."""

import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from bson import Binary, Decimal128, Int64, ObjectId
from singer_sdk.testing import SuiteConfig, get_tap_test_class
from singer_sdk.testing.runners import TapTestRunner

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
    suite = SuiteConfig()
    # The class that the SDK makes for pytest needs the server when tests are collected, which is
    # before fixtures start it; so its tests are run from here.
    standard = get_tap_test_class(TapMongoDB, config=dict(tap.config), suite_config=suite)
    runner = TapTestRunner(TapMongoDB, dict(tap.config), suite, parse_env_config=False)
    runner.sync_all()
    names = [name for name in vars(standard) if name.startswith("test_")]
    assert len(names) > 10
    for name in names:
        run = getattr(standard, name)
        for parameters in standard.params.get(name) or [None]:
            values = parameters.values._asdict() if parameters else {}
            with subtests.test(name, case=parameters.id if parameters else ""):
                run(config=suite, resource=None, runner=runner, **values)
