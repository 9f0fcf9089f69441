"""The website's days: deterministic, with late documents, deletes where allowed, new fields."""

import datetime as dt

import bson
import pytest

from watershed_demo import DemoError, apply_web_day, generate_web
from watershed_demo.timeline import HISTORY_END, HISTORY_START
from watershed_demo.web.documents import WebSize, review_id
from watershed_demo.web.history import COLLECTIONS, company
from watershed_servers.pytest_plugin import temporary_document_database

pytestmark = pytest.mark.demo

OVERLAP = dt.timedelta(hours=1)
DAYS = (1, 2, 3)


def observe(database):
    """What is in each collection, by key: when it was updated, and the whole document."""
    return {
        name: {
            bson.encode({"_id": document["_id"]}): (document["updated_at"], bson.encode(document))
            for document in database[name].find()
        }
        for name in COLLECTIONS
    }


@pytest.fixture(scope="module")
def days(document_server):
    """A website of its own with three days applied, and what each of them did."""
    with temporary_document_database(document_server) as login, login.connect() as client:
        database = client[login.dbname]
        generate_web(database, scale=0.1)
        seen, changes = [observe(database)], [{}]
        for _ in DAYS:
            changes.append(apply_web_day(database))
            seen.append(observe(database))
        yield database, seen, changes


def test_the_same_days_make_the_same_bytes(days, document_database, web_digest) -> None:
    with document_database.connect() as client:
        database = client[document_database.dbname]
        generate_web(database, scale=0.1)
        for number in DAYS:
            apply_web_day(database, day=number)
        assert web_digest(database) == web_digest(days[0])


@pytest.mark.parametrize("number", DAYS)
def test_a_day_touches_about_one_document_in_a_hundred(days, number) -> None:
    _, seen, changes = days
    touched = sum(change.inserted + change.updated for change in changes[number].values())
    assert 0.005 < touched / sum(map(len, seen[number - 1].values())) < 0.05


@pytest.mark.parametrize("collection", COLLECTIONS)
@pytest.mark.parametrize("number", DAYS)
def test_a_day_tells_what_it_did(days, number, collection) -> None:
    _, seen, changes = days
    before, after = seen[number - 1][collection], seen[number][collection]
    told = changes[number][collection]
    assert told.inserted == len(after.keys() - before.keys()) > 0
    assert told.deleted == len(before.keys() - after.keys())
    stays = before.keys() & after.keys()
    assert told.updated == sum(before[key] != after[key] for key in stays) > 0


@pytest.mark.parametrize("number", DAYS)
def test_a_day_deletes_reviews_only(days, number) -> None:
    _, _, changes = days
    assert {name for name, change in changes[number].items() if change.deleted} == {"reviews"}


@pytest.mark.parametrize("collection", COLLECTIONS)
@pytest.mark.parametrize("number", DAYS)
def test_every_change_is_stamped_within_the_overlap_of_what_was_seen(
    days, number, collection
) -> None:
    _, seen, _ = days
    before, after = seen[number - 1][collection], seen[number][collection]
    high_water = max(moment for moment, _ in before.values())
    changed = [one[0] for key, one in after.items() if before.get(key) != one]
    new = [after[key][0] for key in after.keys() - before.keys()]
    assert min(changed) >= high_water - OVERLAP
    assert max(changed) < HISTORY_END + dt.timedelta(days=number)
    assert 0 < sum(moment <= high_water for moment in new) < len(new)  # some come late, not all


def test_the_first_two_days_add_a_field_each(days) -> None:
    _, seen, _ = days

    def fields(number, collection):
        return {
            name
            for _, document in seen[number][collection].values()
            for name in bson.decode(document)
        }

    assert fields(1, "sessions") - fields(0, "sessions") == {"consent"}
    assert fields(1, "support_tickets") == fields(0, "support_tickets")
    assert fields(2, "support_tickets") - fields(1, "support_tickets") == {"sla_minutes"}
    assert fields(3, "reviews") == fields(0, "reviews")


def test_a_day_that_is_not_the_next_changes_nothing(document_database, web_digest) -> None:
    with document_database.connect() as client:
        database = client[document_database.dbname]
        generate_web(database, scale=0.01)
        before = web_digest(database)
        with pytest.raises(DemoError, match="the next day is 1"):
            apply_web_day(database, day=2)
        assert web_digest(database) == before


def test_a_day_that_fails_half_way_changes_nothing(document_database, web_digest) -> None:
    with document_database.connect() as client:
        database = client[document_database.dbname]
        generate_web(database, scale=0.01)
        key_of_the_day = review_id(WebSize.at_scale(0.01).reviews + 1)
        database["reviews"].insert_one({"_id": key_of_the_day, "updated_at": HISTORY_START})
        before = web_digest(database)
        with pytest.raises(Exception, match="duplicate key"):
            apply_web_day(database)
        assert web_digest(database) == before
        assert company(database).find_one()["day"] == 0
