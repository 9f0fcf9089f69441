"""The truth about who is who in the three systems, which only tests read."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

from watershed_demo.chance import Dice
from watershed_demo.crm.rows import CrmSize, contact_person
from watershed_demo.people import customer_person
from watershed_demo.shop.history import ShopSize
from watershed_demo.timeline import new_numbers
from watershed_demo.web.documents import (
    WebSize,
    author_fields,
    requester,
    requester_document,
    review_author,
    review_id,
    session_id,
    session_visitor,
    ticket_id,
    visitor_document,
)

IDENTIFIERS = {"user_id", "email", "phone"}
COLUMNS = ("system", "source_id", "person_id")
Truth = tuple[str, str, str]


def identity_truth(scale: float, seed: int, day: int) -> Iterator[Truth]:
    """Tell who stands behind each record that names somebody.

    Documents that give neither number, e-mail nor phone are left out: nobody could tell. Those that
    a day deleted are in.

    Args:
        scale: of the company.
        seed: of the company.
        day: how many days have passed after the history.

    Yields:
        The stream, its key, the person, e.g. ``("crm-contacts", "17", "person-119")``. An ObjectId
        is its hexadecimal digits, a document JSON without spaces.
    """
    shop, crm, web = ShopSize.at_scale(scale), CrmSize.at_scale(scale), WebSize.at_scale(scale)
    for number in range(1, _last(shop.customers, day) + 1):
        yield "shop-customers", str(number), customer_person(seed, number).person_id
    for number in range(1, _last(crm.contacts, day) + 1):
        who = contact_person(seed, number, crm.customers)
        yield "crm-contacts", str(number), who.person_id
    for number in range(1, _last(web.sessions, day) + 1):
        visitor = session_visitor(seed, number, web)
        if visitor is not None and IDENTIFIERS & visitor_document(seed, number, web).keys():
            key = str(session_id(seed, number))
            yield "web-sessions", key, visitor.person.person_id
    for number in range(1, _last(web.reviews, day) + 1):
        fields = author_fields(seed, number, web)
        author = fields["author"] if isinstance(fields["author"], dict) else fields
        if author.get("email"):
            who = review_author(seed, number, web).person
            yield "web-reviews", str(review_id(number)), who.person_id
    for number in range(1, _last(web.tickets, day) + 1):
        fields = requester_document(seed, number, web)
        if any(fields.get(name) for name in IDENTIFIERS):
            key = _ticket_key(Dice(str(seed), "ticket", number))
            yield "web-support_tickets", key, requester(seed, number, web).person.person_id


def write_identity_truth(file: Path, *, scale: float, seed: int, day: int) -> None:
    """Write `identity_truth` as CSV with a header, at once or not at all."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(identity_truth(scale, seed, day))
    partial = file.with_suffix(".partial")
    partial.write_text(text.getvalue())
    partial.rename(file)


def _last(history: int, day: int) -> int:
    """The number of the last row after ``day`` days."""
    return new_numbers(history, day).stop - 1 if day else history


def _ticket_key(dice: Dice) -> str:
    key = ticket_id(dice)
    return json.dumps(key, separators=(",", ":")) if isinstance(key, dict) else str(key)
