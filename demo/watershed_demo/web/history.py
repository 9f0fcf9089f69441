"""The website's history, made from a seed."""

from collections.abc import Callable, Iterator
from itertools import islice

from pymongo.collection import Collection
from pymongo.database import Database

from watershed_demo.timeline import DEFAULT_SEED, Timing
from watershed_demo.web.documents import Document, WebSize, review, session, ticket

MAKERS = {"sessions": session, "reviews": review, "support_tickets": ticket}
# What `WebSize` calls the number of a collection's documents.
KINDS = {"sessions": "sessions", "reviews": "reviews", "support_tickets": "tickets"}
COLLECTIONS = tuple(MAKERS)
DOCUMENTS_PER_INSERT = 1_000


def generate_web(
    database: Database[Document],
    *,
    scale: float = 1.0,
    seed: int = DEFAULT_SEED,
    report: Callable[[str, float], None] = lambda _step, _share: None,
) -> None:
    """Fill an empty database with the website's collections and their history.

    How they were made stands in the collection ``company`` of the database ``<name>_demo`` beside
    it, and is written last: a database without it was not filled to the end.

    Args:
        database: of a user who may write here and in ``<name>_demo``.
        scale: 1 is 19,000 documents, and none makes more than 22,000.
        seed: the same seed makes the same documents, to the last byte.
        report: is told each step before it begins, with the share of the work done so far (0..1).
    """
    size = WebSize.at_scale(scale)
    for number, (collection, make) in enumerate(MAKERS.items()):
        report(collection, number / len(MAKERS))
        numbers = range(1, getattr(size, KINDS[collection]) + 1)
        timing = Timing.of_history()
        documents = iter([make(seed, n, numbers, timing, size) for n in numbers])
        for batch in _batches(documents):
            database[collection].insert_many(batch)
        database[collection].create_index("updated_at")
    company(database).insert_one({"_id": 1, "scale": scale, "seed": seed, "day": 0})
    report("done", 1.0)


def company(database: Database[Document]) -> Collection[Document]:
    """Give the collection that keeps how a database was made."""
    return database.client[f"{database.name}_demo"]["company"]


def _batches(documents: Iterator[Document]) -> Iterator[list[Document]]:
    while batch := list(islice(documents, DOCUMENTS_PER_INSERT)):
        yield batch
