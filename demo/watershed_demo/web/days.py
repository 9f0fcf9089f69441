"""Days after the history: what a website does to its documents while somebody copies them."""

import dataclasses
import datetime as dt
from dataclasses import dataclass

from bson import Int64
from pymongo import UpdateOne
from pymongo.client_session import ClientSession
from pymongo.database import Database

from watershed_demo.chance import Dice
from watershed_demo.exceptions import DemoError
from watershed_demo.timeline import Changes, Timing, new_numbers, sample
from watershed_demo.web.documents import Document, WebSize, review_id, ticket_id
from watershed_demo.web.history import COLLECTIONS, KINDS, MAKERS, company

DAY_OF_SLA = 2
RETURNING_VISITORS = 10


@dataclass(frozen=True)
class _Day:
    number: int
    seed: int
    size: WebSize
    timing: Timing

    def dice(self, kind: str, number: int = 0) -> Dice:
        """Chances that are others on another day."""
        return Dice(f"{self.seed}:{self.number}", kind, number)

    def moment(self, kind: str, number: int) -> dt.datetime:
        """When a document is changed today, in milliseconds."""
        moment = self.timing.moment(self.dice(kind, number), "moment")
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def apply_web_day(database: Database[Document], *, day: int | None = None) -> dict[str, Changes]:
    """Apply the next day of changes, in one transaction.

    Documents are deleted from ``reviews`` only. Since day 1 new sessions have a field ``consent``,
    since day 2 changed tickets a field ``sla_minutes``.

    Args:
        database: one that `generate_web` filled, of the same user.
        day: the day one expects to apply; None for whichever is next.

    Returns:
        The changes by collection.

    Raises:
        DemoError: ``day`` is not the next day.
    """
    made = company(database).find_one({"_id": 1})
    if made is None:
        raise DemoError("the website has no data yet: run `watershed-demo up`")
    number = made["day"] + 1
    if day not in (None, number):
        raise DemoError(f"day {day} cannot be applied: the next day is {number}")
    size = WebSize.at_scale(made["scale"])
    today = _Day(number, made["seed"], size, Timing.of_day(number))
    with database.client.start_session() as session, session.start_transaction():
        seen = {name: _newest(database, session, today, name) for name in COLLECTIONS}
        updated = {
            "sessions": _update_sessions(database, session, today, seen["sessions"]),
            "reviews": _update_reviews(database, session, today),
            "support_tickets": _update_tickets(database, session, today),
        }
        deleted = dict.fromkeys(COLLECTIONS, 0)
        deleted["reviews"] = _delete_reviews(database, session, today)
        inserted = {
            name: _insert_new(database, session, today, name, after=seen[name][0]["updated_at"])
            for name in COLLECTIONS
        }
        company(database).update_one({"_id": 1}, {"$set": {"day": number}}, session=session)
    return {name: Changes(inserted[name], updated[name], deleted[name]) for name in COLLECTIONS}


def _insert_new(
    database: Database[Document],
    session: ClientSession,
    today: _Day,
    collection: str,
    *,
    after: dt.datetime,
) -> int:
    """Insert the day's new documents, a tenth of them late: stamped up to thirty minutes below."""
    numbers = new_numbers(getattr(today.size, KINDS[collection]), today.number)
    timing = today.timing.with_late(numbers, after.replace(tzinfo=dt.UTC))
    make = MAKERS[collection]
    documents = [make(today.seed, n, numbers, timing, today.size) for n in numbers]
    if collection == "sessions":
        for document in documents:
            document["consent"] = {"version": today.number, "given": True}
    return len(database[collection].insert_many(documents, session=session).inserted_ids)


def _newest(
    database: Database[Document], session: ClientSession, today: _Day, collection: str
) -> list[Document]:
    """Keys and updates of a collection's newest documents, the newest first.

    The server here has no index for sorting, and one for comparing.
    """
    found: list[Document] = []
    for days in (3, 100, 10_000):
        since = today.timing.start - dt.timedelta(days=days)
        newer = {"updated_at": {"$gte": since, "$lt": today.timing.start}}
        found = list(database[collection].find(newer, {"updated_at": 1}, session=session))
        if len(found) > RETURNING_VISITORS:
            break
    return sorted(found, key=lambda one: (one["updated_at"], str(one["_id"])), reverse=True)


def _update_sessions(
    database: Database[Document], session: ClientSession, today: _Day, newest: list[Document]
) -> int:
    """Let the visitors of some of the last sessions come back."""
    changes = []
    for index, found in enumerate(newest[:RETURNING_VISITORS]):
        moment = today.moment("session.returns", index)
        changes.append(
            UpdateOne(
                {"_id": found["_id"]},
                {
                    "$set": {"updated_at": moment, "device": "Mobile "},
                    "$inc": {"page_views": Int64(1)},
                    "$push": {"events": {"type": "view", "at": moment}},
                },
            )
        )
    return database["sessions"].bulk_write(changes, session=session).modified_count


def _update_reviews(database: Database[Document], session: ClientSession, today: _Day) -> int:
    """Let some authors think again, and change the type of what they wrote."""
    changes = [
        UpdateOne(
            {"_id": review_id(number)},
            {
                "$set": {
                    "rating": today.dice("review", number).pick((5, 2.5, "1 stars"), "again"),
                    "updated_at": today.moment("review", number),
                },
                "$unset": {"photo": ""},
            },
        )
        for number in sample(today.dice("review.updates"), today.size.reviews, 0.008)
    ]
    return database["reviews"].bulk_write(changes, session=session).modified_count


def _update_tickets(database: Database[Document], session: ClientSession, today: _Day) -> int:
    """Solve open tickets, and reopen one in a hundred of the old."""
    unsolved = database["support_tickets"].find(
        {"status": {"$in": ["open", "pending"]}}, {"_id": 1}, session=session
    )
    changes = []
    for index, found in enumerate(unsolved.sort("opened_at", 1).limit(40)):
        moment = today.moment("ticket.solved", index)
        solved = {"status": "solved", "resolved_at": moment, "updated_at": moment}
        if index % 3 == 0:
            changes.append(UpdateOne({"_id": found["_id"]}, {"$set": solved | _sla(today)}))
    for number in sample(today.dice("ticket.updates"), today.size.tickets, 0.008):
        base = dataclasses.replace(today.dice("ticket", number), seed=str(today.seed))
        moment = today.moment("ticket.reopened", number)
        reopened = {"status": "open", "resolved_at": None, "updated_at": moment}
        changes.append(UpdateOne({"_id": ticket_id(base)}, {"$set": reopened | _sla(today)}))
    return database["support_tickets"].bulk_write(changes, session=session).modified_count


def _sla(today: _Day) -> Document:
    return {"sla_minutes": 60 * today.number} if today.number >= DAY_OF_SLA else {}


def _delete_reviews(database: Database[Document], session: ClientSession, today: _Day) -> int:
    chosen = sample(today.dice("review.deletes"), today.size.reviews, 0.0)
    chosen += [number + 7 for number in chosen] + [number + 14 for number in chosen]
    keys = [review_id(number) for number in chosen]
    done = database["reviews"].delete_many({"_id": {"$in": keys}}, session=session)
    return done.deleted_count
