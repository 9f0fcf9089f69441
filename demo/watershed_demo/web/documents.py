"""The website's documents, each a function of seed and number; see demo/web/README.md."""

# ruff: noqa: PLR2004  # how often a wart comes is said where it is made
import datetime as dt
import math
import uuid
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bson import Binary, Decimal128, Int64, ObjectId
from bson.binary import UuidRepresentation

from watershed_demo.chance import Dice
from watershed_demo.crm.rows import CrmSize, campaign_name, contact_person, live_campaign
from watershed_demo.people import (
    GUESTS,
    Noise,
    Person,
    customer_person,
    person,
    write_country,
    write_email,
    write_name,
    write_phone,
)
from watershed_demo.shop.history import ShopSize
from watershed_demo.timeline import HISTORY_START, Timing

Document = dict[str, Any]

MOST_DOCUMENTS = 22_000  # of the history; there are days to come, and 25,000 is the limit
LEVELS = 20
# What somebody typed into a form on the website.
TYPED = Noise(no_email=0.0, wrong_email=0.007, no_phone=0.0)
ON_A_TICKET = Noise(no_email=0.08, no_phone=0.3)


@dataclass(frozen=True)
class WebSize:
    """How many documents the history has, and how many there are elsewhere to refer to."""

    sessions: int
    reviews: int
    tickets: int
    customers: int
    products: int
    contacts: int
    campaigns: int

    @classmethod
    def at_scale(cls, scale: float) -> "WebSize":
        """Size a website: 1 is 19,000 documents, and none has more than 22,000."""
        share = min(scale, MOST_DOCUMENTS / 19_000)
        shop, crm = ShopSize.at_scale(scale), CrmSize.at_scale(scale)
        return cls(
            sessions=max(50, int(12_000 * share)),
            reviews=max(50, int(4_000 * share)),
            tickets=max(50, int(3_000 * share)),
            customers=shop.customers,
            products=shop.products,
            contacts=crm.contacts,
            campaigns=crm.campaigns,
        )


@dataclass(frozen=True)
class Visitor:
    """Who somebody on the website is, and the shop's number of that person, if there is one."""

    person: Person
    customer_id: int | None = None


def session_visitor(seed: int, number: int, size: WebSize) -> Visitor | None:
    """Tell whose a session is; nobody knows of two in five."""
    dice = Dice(str(seed), "session", number)
    return None if dice.happens(0.4, "anonymous") else _visitor(seed, dice, size)


def review_author(seed: int, number: int, size: WebSize) -> Visitor:
    """Tell who wrote a review."""
    return _visitor(seed, Dice(str(seed), "review", number), size)


def requester(seed: int, number: int, size: WebSize) -> Visitor:
    """Tell who opened a ticket."""
    return _visitor(seed, Dice(str(seed), "ticket", number), size)


def visitor_document(seed: int, number: int, size: WebSize) -> Document:
    """Make the field ``visitor`` of a session."""
    dice = Dice(str(seed), "session", number)
    browser = uuid.UUID(dice.uuid("browser"))
    document: Document = {"visitor_uuid": Binary.from_uuid(browser, UuidRepresentation.STANDARD)}
    who = session_visitor(seed, number, size)
    if who is None:
        return document
    if who.customer_id is not None and dice.happens(0.6, "logged_in"):
        is_text = dice.happens(0.2, "user_id.text")
        document["user_id"] = str(who.customer_id) if is_text else who.customer_id
    if "user_id" not in document or dice.happens(0.3, "typed_email"):
        document["email"] = write_email(who.person, dice, TYPED)
    if dice.happens(0.08, "typed_phone"):
        neighbour = person(seed, who.person.number + 1)
        document["phone"] = write_phone(who.person, dice, TYPED, neighbour=neighbour)
    return document


def author_fields(seed: int, number: int, size: WebSize) -> Document:
    """Make the fields ``author`` and ``email`` of a review."""
    dice = Dice(str(seed), "review", number)
    who = review_author(seed, number, size).person
    name, email = write_name(who, dice) or "anonym", write_email(who, dice, TYPED)
    if dice.happens(0.1, "author.document"):
        return {"author": {"name": name, "email": email}}
    if dice.happens(0.25, "no_email"):
        return {"author": name} if number % 2 else {"author": name, "email": None}
    return {"author": name, "email": email}


def requester_document(seed: int, number: int, size: WebSize) -> Document:
    """Make the field ``requester`` of a ticket."""
    dice = Dice(str(seed), "ticket", number)
    who = requester(seed, number, size).person
    neighbour = person(seed, who.number + 1)
    document: Document = {
        "name": write_name(who, dice),
        "email": write_email(who, dice, ON_A_TICKET),
        "phone": write_phone(who, dice, ON_A_TICKET, neighbour=neighbour),
        "country": write_country(who, dice),
    }
    kept = {name: value for name, value in document.items() if value is not None}
    return kept if number % 2 else document


def session(seed: int, number: int, numbers: range, timing: Timing, size: WebSize) -> Document:
    """Make a document of ``sessions``."""
    dice = Dice(str(seed), "session", number)
    started, latest = map(_millis, timing.stamp(dice, numbers))
    ended = started + dt.timedelta(seconds=dice.up_to(3000, "length"))
    document: Document = {
        "_id": session_id(seed, number),
        "visitor": visitor_document(seed, number, size),
        "started_at": started,
        "ended_at": min(ended, latest) if dice.number % 11 else None,
        "device": dice.pick(("mobile", "mobile", "Mobile ", "desktop", "DESKTOP"), "device"),
        "country": dice.pick(("DE", "de", "Germany", "AT", "FR", None), "country"),
        "referrer": dice.pick((None, "", "https://suche.example/?q=stühle", "newsletter"), "from"),
        "events": _events(dice, started, size),
        "fingerprint": Binary(bytes.fromhex(dice.hash("fingerprint"))),
        "context": _nested(dice),
        "load_seconds": dice.pick((dice.roll("load") * 9, dice.roll("load") / 3), "slow"),
        "page_views": Int64(dice.up_to(40, "views")),
        "updated_at": min(ended, latest),
    }
    if number % 97 == 3:
        document["load_seconds"] = dice.pick((math.nan, math.inf, -math.inf, -0.0), "odd")
    if number % 53 == 4:
        document["page_views"] = Int64(2**53 + number)
    if dice.happens(0.3, "campaign"):
        shown = live_campaign(dice, size.campaigns)
        by_name = dice.happens(0.6, "by_name")
        document["utm_campaign"] = campaign_name(seed, shown) if by_name else shown
    for name, share in (("ended_at", 0.05), ("country", 0.2), ("referrer", 0.3), ("context", 0.9)):
        if dice.happens(share, f"no_{name}"):
            del document[name]
    if dice.happens(0.5, "no_fingerprint"):
        del document["fingerprint"]
    return document


def review(seed: int, number: int, numbers: range, timing: Timing, size: WebSize) -> Document:
    """Make a document of ``reviews``."""
    dice = Dice(str(seed), "review", number)
    created, updated = map(_millis, timing.stamp(dice, numbers))
    product_id = dice.up_to(size.products, "product")
    stars = dice.up_to(5, "stars")
    document: Document = {
        "_id": review_id(number),
        **author_fields(seed, number, size),
        "product_id": str(product_id) if number % 29 == 1 else product_id,
        "rating": dice.pick((stars, stars, stars - 0.5, str(stars), f"{stars} stars"), "rating"),
        "text": dice.pick((None, "", "Sehr schön 😀", 'Not "good"\n\ttoo\\small', "null"), "text"),
        "photo": Binary(
            dice.pick((b"", b"\x00\xff\xd8", bytes.fromhex(dice.hash("jpg"))), "photo")
        ),
        "price_paid": _price(dice),
        "bought_on": _millis(created - dt.timedelta(days=dice.up_to(90, "before"))),
        "votes": {"en.helpful": dice.up_to(9, "helpful") - 1, "en.unhelpful": Int64(0)},
        "created_at": created,
        "updated_at": updated,
    }
    if number % 47 == 3:
        document["text"] = "<p>Gut &amp; günstig,<br/>gerne&nbsp;wieder</p>"
    if number % 61 == 2:
        document["bought_on"] = dt.datetime(1955, 11, 5, 6, 15, tzinfo=dt.UTC)
    for name, share in (("text", 0.1), ("photo", 0.9), ("price_paid", 0.5), ("bought_on", 0.3)):
        if dice.happens(share, f"no_{name}"):
            del document[name]
    return document


def ticket(seed: int, number: int, numbers: range, timing: Timing, size: WebSize) -> Document:
    """Make a document of ``support_tickets``."""
    dice = Dice(str(seed), "ticket", number)
    opened, latest = map(_millis, timing.stamp(dice, numbers))
    answered = _millis(opened + dt.timedelta(hours=0.2 + 30 * dice.roll("answer") ** 3))
    resolved = _millis(answered + dt.timedelta(hours=0.5 + 120 * dice.roll("resolve") ** 2))
    status = "open" if answered > latest else "pending" if resolved > latest else "solved"
    agent = dice.pick(("Ines", "Tariq", "Ólafur", "Bo"), "agent")
    document: Document = {
        "_id": ticket_id(dice),
        "requester": requester_document(seed, number, size),
        "subject": dice.pick(
            ("Wo ist mein Paket?", "Return", "Rechnung", "", "Größe 🤔"), "subject"
        ),
        "channel": dice.pick(("email", "email", "phone", "Chat ", "chat"), "channel"),
        "priority": dice.pick(("low", "normal", "normal", "high", 1, 3), "priority"),
        "status": "SOLVED" if status == "solved" and number % 13 == 1 else status,
        "opened_at": opened,
        "first_response_at": answered if status != "open" else None,
        "resolved_at": resolved if status == "solved" else None,
        "agent": {"id": len(agent), "name": agent, "team": {"city": "Berlin", "floor": 2}},
        "tags": dice.pick(([], ["return"], ["vip", "late", None], "late,vip"), "tags"),
        "satisfaction": dice.pick((None, 5, 4, 1, 4.5, "good"), "satisfaction"),
        "refund": _price(dice),
        "history": _status_history(opened, answered, resolved, status),
        "updated_at": min(latest, resolved),
    }
    if number % 41 == 6:
        document["subject"] = "<b>Rechnung</b> &lt;fehlt&gt;"
    if number % 67 == 5 and status == "solved":
        document["resolved_at"] = opened - dt.timedelta(hours=1)
    if dice.happens(0.5, "agent.name"):
        document["agent"] = agent
    for name in ("first_response_at", "resolved_at"):
        if document[name] is None and dice.happens(0.5, f"no_{name}"):
            del document[name]
    for name, share in (("agent", 0.1), ("satisfaction", 0.4), ("refund", 0.8)):
        if dice.happens(share, f"no_{name}"):
            del document[name]
    return document


def session_id(seed: int, number: int) -> ObjectId:
    """Tell a session's key, which grows with its number."""
    digits = Dice(str(seed), "session", number).hash("_id")
    second = int(HISTORY_START.timestamp()) + number
    return ObjectId(second.to_bytes(4, "big") + bytes.fromhex(digits[:16]))


def review_id(number: int) -> str | int:
    """Tell a review's key: the old site wrote words, and digits as text; the new one numbers."""
    if number % 3 == 0:
        return f"review-{number:06d}"
    return str(number) if number % 100 == 1 else number


def ticket_id(dice: Dice) -> Document | str | Int64:
    """Tell a ticket's key: three desks, three ways."""
    desk = dice.pick(("berlin", "wien"), "desk")
    kinds = ({"desk": desk, "number": dice.number}, Int64(dice.number), f"T-{dice.number}")
    return kinds[dice.number % 3]


def _visitor(seed: int, dice: Dice, size: WebSize) -> Visitor:
    """Somebody on the website: mostly a customer, else a contact of the CRM or a stranger."""
    kind = dice.roll("visitor")
    if kind < 0.78:
        customer_id = dice.up_to(size.customers, "customer")
        return Visitor(customer_person(seed, customer_id), customer_id)
    if kind < 0.9:
        contact_id = dice.up_to(size.contacts, "contact")
        return Visitor(contact_person(seed, contact_id, size.customers))
    return Visitor(person(seed, GUESTS + dice.up_to(max(10, size.sessions // 20), "guest")))


def _events(dice: Dice, started: dt.datetime, size: WebSize) -> list[Document]:
    events: list[Document] = []
    kinds = ("view", "view", "view", "search", "add_to_cart", "checkout", "purchase")
    for index in range(dice.up_to(6, "events") - (dice.number % 37 == 1)):
        kind = dice.pick(kinds, f"event{index}")
        product_id = dice.up_to(size.products, f"product{index}")
        event: Document = {
            "type": kind,
            "at": started + dt.timedelta(seconds=17 * index),
            "url": f"https://shop.example/p/{product_id}?ref=ü%20&n={index}",
        }
        if kind == "search":
            event["properties"] = {"search.term": "Stühle", "$hits": index, "nothing": None}
            del event["url"]
        else:
            forms = (product_id, product_id, Int64(product_id), str(product_id))
            event["product_id"] = forms[(dice.number + index) % 4]
        if kind == "purchase":
            value = Decimal(dice.up_to(50_000, f"value{index}")).scaleb(-2)
            event["value"] = Decimal128(value) if dice.number % 5 else float(value)
        events.append(event)
    return events


def _nested(dice: Dice) -> Document:
    document: Document = {"leaf": dice.number, "list": [[1, [2, [3.5, None]]], {}]}
    for level in range(LEVELS):
        document = {f"level{level}": document}
    return document


def _price(dice: Dice) -> Decimal128:
    price = f"{dice.up_to(99_999, 'price') / 100:.2f}"
    odd = ("1.234567890123456789012345678901234", "NaN", "Infinity", "1E+3", "-0")
    return Decimal128(dice.pick(odd, "price.odd") if dice.number % 11 == 6 else price)


def _status_history(
    opened: dt.datetime, answered: dt.datetime, resolved: dt.datetime, status: str
) -> list[Document]:
    steps = [{"at": opened, "from": None, "to": "open"}]
    if status in ("pending", "solved"):
        steps.append({"at": answered, "from": "open", "to": "pending"})
    if status == "solved":
        steps.append({"at": resolved, "from": "pending", "to": "solved"})
    return steps


def _millis(moment: dt.datetime) -> dt.datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
