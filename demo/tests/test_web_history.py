"""The website's history: the same for everybody, and messy in every way it promises."""

import datetime as dt
import math
from collections.abc import Iterator

import pytest
from bson import Binary, Decimal128, Int64, ObjectId

from watershed_demo import generate_web
from watershed_demo.timeline import HISTORY_END, HISTORY_START
from watershed_demo.web.documents import WebSize
from watershed_demo.web.history import COLLECTIONS

pytestmark = pytest.mark.demo

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def documents(web):
    """Everything, by collection."""
    return {name: list(web[name].find()) for name in COLLECTIONS}


def test_the_same_seed_makes_the_same_bytes(web, document_database, web_digest) -> None:
    with document_database.connect() as client:
        generate_web(client[document_database.dbname], scale=0.05)
        assert web_digest(client[document_database.dbname]) == web_digest(web)


def test_another_seed_makes_other_documents(web, document_database, web_digest) -> None:
    with document_database.connect() as client:
        generate_web(client[document_database.dbname], scale=0.05, seed=7)
        ours, theirs = web_digest(web), web_digest(client[document_database.dbname])
    assert all(ours[name] != theirs[name] for name in COLLECTIONS)


@pytest.mark.parametrize("scale", [1, 40, 1000])
def test_no_scale_makes_more_documents_than_the_server_can_take(scale) -> None:
    size = WebSize.at_scale(scale)
    assert 19_000 <= size.sessions + size.reviews + size.tickets <= 22_000


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_updates_are_dates_within_the_history_and_never_in_the_future(
    documents, collection
) -> None:
    for document in documents[collection]:
        assert HISTORY_START <= document["updated_at"] < HISTORY_END


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_updates_have_an_index(web, collection) -> None:
    indexes = web[collection].index_information().values()
    indexed = [[field for field, _ in index["key"]] for index in indexes]
    assert ["updated_at"] in indexed


def values(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Every value of a document, with its path; an element of a list has that of the list."""
    yield path, value
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from values(inner, f"{path}/{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from values(inner, path)


def is_double(test):
    return lambda _, value: isinstance(value, float) and test(value)


def has(path, *types):
    """Whether the value at a path is of one of these types, exactly."""
    return lambda where, value: where == path and type(value) in types


MESS = {
    "sessions": {
        "a number of NaN": is_double(math.isnan),
        "infinity": is_double(lambda value: value == math.inf),
        "infinity below zero": is_double(lambda value: value == -math.inf),
        "zero below zero": is_double(lambda value: value == 0 and math.copysign(1, value) < 0),
        "an integer that no double holds": lambda _, value: (
            isinstance(value, Int64) and value > 2**53 and int(float(value)) != value
        ),
        "a user whose number is a number": has("/visitor/user_id", int),
        "a user whose number is text": has("/visitor/user_id", str),
        "an end that is null": has("/ended_at", type(None)),
        "a campaign by its name": has("/utm_campaign", str),
        "a campaign by its number": has("/utm_campaign", int),
        "a product of 32 bits": has("/events/product_id", int),
        "a product of 64 bits": has("/events/product_id", Int64),
        "a product as text": has("/events/product_id", str),
        "a value that is decimal": has("/events/value", Decimal128),
        "a value that is a double": has("/events/value", float),
        "a key with a dot": lambda path, _: path.endswith("/search.term"),
        "a key with a dollar": lambda path, _: path.endswith("/$hits"),
        "twenty levels": lambda path, _: path.count("/level") == 20,
        "a UUID": lambda _, value: isinstance(value, Binary) and value.subtype == 4,
        "a session without events": lambda path, value: path == "/events" and value == [],
        "a device with a space": lambda _, value: value == "Mobile ",
    },
    "reviews": {
        "a key that is text": has("/_id", str),
        "a key that is text of digits": lambda path, value: (
            path == "/_id" and isinstance(value, str) and value.isdigit()
        ),
        "a key that is a number": has("/_id", int),
        "an author who is a name": has("/author", str),
        "an author who is a document": has("/author", dict),
        "a rating that is a number": has("/rating", int),
        "a rating that is a fraction": has("/rating", float),
        "a rating in words": lambda path, value: path == "/rating" and "stars" in str(value),
        "a product as text": has("/product_id", str),
        "emoji": lambda _, value: "😀" in str(value),
        "a text with markup": lambda path, value: path == "/text" and "<p>" in str(value),
        "an empty picture": lambda path, value: path == "/photo" and value == b"",
        "a picture with a zero byte": lambda path, value: path == "/photo" and b"\0" in value,
        "a date before 1970": lambda _, value: isinstance(value, dt.datetime) and value < EPOCH,
        "a decimal of 34 digits": lambda _, value: "1.234567890123456789" in str(value),
        "an e-mail that is null": has("/email", type(None)),
        "a key with a dot": lambda path, _: path == "/votes/en.helpful",
    },
    "support_tickets": {
        "a key that is a document": has("/_id", dict),
        "a key of 64 bits": lambda path, value: path == "/_id" and isinstance(value, int),
        "a key that is text": has("/_id", str),
        "a priority that is a number": has("/priority", int),
        "an agent who is a document": has("/agent", dict),
        "an agent who is a name": has("/agent", str),
        "a subject with letters that HTML names": lambda _, value: "&lt;" in str(value),
        "tags that are text": lambda path, value: path == "/tags" and value == "late,vip",
        "a tag that is null": has("/tags", type(None)),
        "a satisfaction in words": has("/satisfaction", str),
        "a status in capitals": lambda path, value: path == "/status" and value == "SOLVED",
        "a decimal": has("/refund", Decimal128),
        "a requester without a name": lambda path, value: (
            path == "/requester" and "name" not in value
        ),
    },
}


@pytest.mark.parametrize(
    ("collection", "mess"), [(name, mess) for name, messes in MESS.items() for mess in messes]
)
def test_the_website_is_messy_on_purpose(documents, collection, mess) -> None:
    is_mess = MESS[collection][mess]
    everything = (pair for document in documents[collection] for pair in values(document))
    assert any(is_mess(path, value) for path, value in everything)


@pytest.mark.parametrize(
    ("collection", "field"),
    [
        ("sessions", "utm_campaign"),
        ("sessions", "fingerprint"),
        ("sessions", "context"),
        ("reviews", "email"),
        ("reviews", "photo"),
        ("support_tickets", "agent"),
        ("support_tickets", "resolved_at"),
    ],
)
def test_a_field_that_may_be_missing_is_missing_here_and_there(
    documents, collection, field
) -> None:
    assert {field in document for document in documents[collection]} == {True, False}


@pytest.mark.parametrize(
    ("collection", "field", "kind"),
    [
        ("sessions", "_id", ObjectId),
        ("sessions", "started_at", dt.datetime),
        ("sessions", "device", str),
        ("sessions", "load_seconds", float),
        ("sessions", "page_views", Int64),
        ("reviews", "created_at", dt.datetime),
        ("support_tickets", "opened_at", dt.datetime),
        ("support_tickets", "subject", str),
    ],
)
def test_a_field_of_one_type_is_of_that_type_everywhere(documents, collection, field, kind) -> None:
    assert {type(document[field]) for document in documents[collection]} == {kind}
