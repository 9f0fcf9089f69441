"""The CRM's rows, each a function of seed and number, in the order of the columns of schema.sql."""

# ruff: noqa: PLR2004  # how often a wart comes is said where it is made
import datetime as dt
import json
from dataclasses import dataclass
from decimal import Decimal

from watershed_demo.chance import Dice
from watershed_demo.people import (
    LEADS,
    Noise,
    Person,
    birth_date,
    customer_person,
    person,
    write_country,
    write_email,
    write_name,
    write_phone,
)
from watershed_demo.shop.history import ShopSize
from watershed_demo.timeline import Timing

Row = tuple[object, ...]

NOISE = Noise()
SHARE_OF_LEADS = 0.2
SECOND_ENTRY_EVERY = 40
DRAFT_EVERY = 12
DAYS_OF_QUARTER = 90
# A prime, so that contacts walk through the shop's customers and meet each once.
STRIDE = 7919
PARTNERS_EVERY = 37
FIRST_TESTER = 3_900_000_000
ZERO_DATE = "0000-00-00"
ZERO_MOMENT = "0000-00-00 00:00:00"
STATUSES = ("active", "active", "active", "active", "past_due", "trial")
PRICES = {"basic": Decimal("9.90"), "plus": Decimal("24.90"), "pro": Decimal("99.00")}
ANSWERS = ("-00:45:10.500", "838:59:59.000", "-838:59:59.000", "00:00:00.000", "26:30:00.250")


@dataclass(frozen=True)
class CrmSize:
    """How many rows the history has; a subscription has an invoice for each of its quarters."""

    accounts: int
    contacts: int
    campaigns: int
    touches: int
    subscriptions: int
    customers: int

    @classmethod
    def at_scale(cls, scale: float) -> "CrmSize":
        """Size a CRM: 1 is about 40,000 rows over all tables."""

        def rows(at_scale_one: int) -> int:
            return max(50, round(at_scale_one * scale))

        return cls(
            accounts=rows(1_200),
            contacts=rows(7_500),
            campaigns=min(50_000, rows(60)),
            touches=rows(20_000),
            subscriptions=rows(2_800),
            customers=ShopSize.at_scale(scale).customers,
        )


def contact_person(seed: int, number: int, customers: int) -> Person:
    """Tell who a contact is: four of five are customers of the shop, and some are there twice."""
    if number % SECOND_ENTRY_EVERY == 0:
        return contact_person(seed, number - 3, customers)
    if Dice(str(seed), "contact", number).happens(SHARE_OF_LEADS, "lead"):
        return person(seed, LEADS + number)
    stride = STRIDE if customers % STRIDE else STRIDE + 1
    return customer_person(seed, number * stride % customers + 1)


def account_id(number: int) -> int:
    """Tell an account's key: those that a partner imported count down from the highest there is."""
    return 2**64 - number if number % PARTNERS_EVERY == 0 else number


def account(seed: int, number: int, numbers: range, timing: Timing) -> Row:
    """Make a row of ``accounts``."""
    dice = Dice(str(seed), "account", number)
    created, updated = timing.stamp(dice, numbers)
    name = dice.pick(
        ("Müller & Söhne", "Café René", "Nordwind AG", "Smith Ltd", "Bäckerei"), "name"
    )
    if number % 23 == 4:
        name = name.encode().decode("cp1252", "ignore")  # as a program that mistook UTF-8 did
    if number % 89 == 5:
        name += "\x81"  # a byte that latin1 has no letter for
    # Not by arithmetic, which Python rounds to 28 digits.
    revenue = Decimal(f"{dice.up_to(10**9, 'revenue')}.{dice.up_to(10**9, 'fraction'):030d}")
    huge = Decimal("12345678901234567890123456789012345.123456789012345678901234567891")
    return (
        account_id(number),
        dice.uuid("uuid"),
        f"{name} {number}",
        dice.pick(("DE", "de", "Germany", " Deutschland ", "AT", "CH", None, ""), "country"),
        dice.pick(("smb", "smb", "mid market", "enterprise"), "segment"),
        dice.pick(("", "newsletter", "newsletter,key account", "reseller,do not call"), "flags"),
        dice.pick((None, dice.up_to(200, "employees"), dice.up_to(16_000_000, "employees")), "big"),
        dice.pick((0, 1901 + dice.up_to(120, "founded"), 2155), "year"),
        None if number % 7 == 3 else huge if number % 53 == 6 else revenue,
        None if number % 11 == 2 else Decimal(dice.up_to(9_999_999_999, "credit")).scaleb(-2),
        dice.pick((0, 1, 1, 1, 1, 1, 1, 2, -1), "active"),
        dice.pick((0, 1, None), "vip"),
        dice.up_to(4096, "permissions") - 1,
        ZERO_DATE if number % 31 == 7 else "2019-00-00" if number % 61 == 8 else created.date(),
        dice.pick((None, "", "Stammkunde, ruft gern an", 'größter Kunde\nin "Köln"\t\\'), "note"),
        dice.pick((None, b"", b"\x89PNG\r\n\x00\xff" + bytes.fromhex(dice.hash("logo"))), "logo"),
        created.replace(microsecond=0),
        updated.replace(microsecond=0),
    )


def contact(seed: int, number: int, numbers: range, timing: Timing, size: CrmSize) -> Row:
    """Make a row of ``contacts``."""
    dice = Dice(str(seed), "contact", number)
    who = contact_person(seed, number, size.customers)
    created, updated = timing.stamp(dice, numbers)
    employer = account_id(1 + int(dice.roll("account") ** 2 * size.accounts))
    return (
        number,
        dice.pick((employer, employer, None), "employed") if number % 101 else 9_000_000 + number,
        None if number % 13 == 1 else dice.uuid("external"),
        write_email(who, dice, NOISE),
        write_name(who, dice),
        write_phone(who, dice, NOISE, neighbour=_neighbour(seed, who)),
        write_country(who, dice),
        ZERO_DATE if number % 43 == 2 else birth_date(who, dice),
        dice.pick((0, 1, 1, 1, 2, None), "opted_in") if number % 211 != 3 else 127,
        None if number % 9 == 4 else (dice.roll("score") * 200 - 100) / 3,
        dice.pick(ANSWERS, "answer")
        if number % 17 == 5
        else f"00:{dice.up_to(59, 'delay'):02d}:07",
        _json(dice),
        created,
        updated,
    )


def tester(seed: int, number: int, timing: Timing) -> Row:
    """Make a row of ``contacts`` with which the sales team tries its program out."""
    dice = Dice(str(seed), "tester", number)
    email = dice.pick((f"test{number}@example.com", f"qa-{number}@crm.test"), "email")
    blank: Row = (None,) * 6
    moment = timing.moment(dice, "moment")
    return (FIRST_TESTER + number, None, None, email, "Test Test", *blank, None, moment, moment)


def campaign(seed: int, number: int, numbers: range, timing: Timing) -> Row:
    """Make a row of ``campaigns``; one in twelve is a draft, which nobody was touched by."""
    dice = Dice(str(seed), "campaign", number)
    created, updated = timing.stamp(dice, numbers)
    started = created.date() + dt.timedelta(days=dice.up_to(20, "lead_time"))
    is_draft = number % DRAFT_EVERY == 0
    ended = None if number % 7 == 1 else started + dt.timedelta(days=dice.up_to(60, "length"))
    return (
        number,
        campaign_name(seed, number),
        dice.pick(("email", "email", "email", "social", "search", "print", "event"), "channel"),
        dice.pick(("consumer", "smb,consumer", "enterprise", ""), "audience"),
        ZERO_DATE if is_draft else started,
        None if is_draft else ended,
        0 if is_draft else started.year,
        None if number % 10 == 3 else Decimal(dice.up_to(5_000_000, "budget")).scaleb(-2),
        dice.up_to(128, "weekdays") - 1,
        dice.pick(("09:00:00", "18:30:00", "25:30:00", "-02:00:00", None), "sends"),
        created.replace(microsecond=0),
        updated.replace(microsecond=0),
    )


def campaign_name(seed: int, number: int) -> str:
    """Tell what a campaign is called."""
    occasions = ("Frühjahr 🌷", "Summer Sale", "Back to School", "Black Friday", "Winterschluss")
    return f"{Dice(str(seed), 'campaign', number).pick(occasions, 'name')} #{number}"


def live_campaign(dice: Dice, campaigns: int) -> int:
    """Choose a campaign that is no draft."""
    number = dice.up_to(campaigns, "campaign")
    return number - 1 if number % DRAFT_EVERY == 0 else number


def touch(seed: int, number: int, numbers: range, timing: Timing, size: CrmSize) -> Row:
    """Make a row of ``campaign_touches``."""
    dice = Dice(str(seed), "touch", number)
    touched, latest = timing.stamp(dice, numbers)
    updated = min(latest, touched + dt.timedelta(hours=dice.roll("lag") * 48))
    kinds = (
        "sent",
        "sent",
        "sent",
        "sent",
        "opened",
        "opened",
        "clicked",
        "bounced",
        "unsubscribed",
    )
    pages = (None, "", "https://shop.example/aktion?q=ü&x=1", "https://shop.example/" + "a/" * 200)
    return (
        number,
        live_campaign(dice, size.campaigns),
        dice.up_to(size.contacts, "contact") if number % 199 else 4_000_000_000 + number % 1000,
        dice.pick(kinds, "kind"),
        touched,
        None if number % 8 == 1 else Decimal(dice.up_to(2_000_000, "cost")).scaleb(-6),
        dice.pick(("mobile", "mobile", "Mobile ", "desktop", "DESKTOP", None), "device"),
        dice.pick(pages, "page"),
        _json(dice),
        updated,
    )


def subscription(
    seed: int, number: int, numbers: range, timing: Timing, size: CrmSize
) -> "Subscription":
    """Make a row of ``subscriptions``."""
    dice = Dice(str(seed), "subscription", number)
    created, updated = timing.stamp(dice, numbers)
    plan = dice.pick(("basic", "basic", "plus", "pro"), "plan")
    ends = created + dt.timedelta(days=30 + 500 * dice.roll("ends"))
    is_cancelled = dice.happens(0.6, "cancelled") and ends < updated
    never = ZERO_DATE if number % 6 == 1 else None
    return Subscription(
        subscription_id=number,
        contact_id=dice.up_to(size.contacts, "contact"),
        plan=dice.pick((plan, plan, plan, plan.title(), f"{plan} "), "spelling"),
        monthly_price=PRICES[plan] * dice.pick((1, 1, 1, 2), "priced"),
        discount_rate=dice.pick([Decimal(rate) for rate in ("0", "0.1", "0.3333")], "discount"),
        currency=dice.pick(("EUR", "EUR", "EUR", "eur", "CHF"), "currency"),
        status="cancelled" if is_cancelled else dice.pick(STATUSES, "status"),
        seats=dice.pick((1, 1, 3, 10, 255), "seats"),
        auto_renew=dice.up_to(2, "renew") - 1,
        started_on=created.date(),
        cancelled_on=ends.date() if is_cancelled else never,
        updated_at=updated.replace(microsecond=0),
    )


@dataclass(frozen=True)
class Subscription:
    """A row of ``subscriptions``, its fields in the order of the columns."""

    subscription_id: int
    contact_id: int
    plan: str
    monthly_price: Decimal
    discount_rate: Decimal
    currency: str
    status: str
    seats: int
    auto_renew: int
    started_on: dt.date
    cancelled_on: dt.date | str | None
    updated_at: dt.datetime

    def row(self) -> Row:
        """Tell the values of the columns."""
        return tuple(vars(self).values())

    def quarters(self, horizon: dt.datetime) -> range:
        """Tell which of its quarters, the first being 0, began before ``horizon`` and its end."""
        end = self.cancelled_on if isinstance(self.cancelled_on, dt.date) else horizon.date()
        days = (min(end, horizon.date()) - self.started_on).days
        return range(-(-days // DAYS_OF_QUARTER))


def invoice(seed: int, subscribed: Subscription, quarter: int, timing: Timing) -> Row:
    """Make a row of ``invoices``: that of one quarter, the first being 0."""
    dice = Dice(str(seed), "invoice", subscribed.subscription_id * 1000 + quarter)
    issued = dt.datetime.combine(subscribed.started_on, dt.time(6), dt.UTC)
    issued += dt.timedelta(days=DAYS_OF_QUARTER * quarter)
    paid = issued + dt.timedelta(days=1 + 30 * dice.roll("paid"))
    is_paid = paid < timing.horizon and dice.happens(0.97, "pays")
    full_price = subscribed.monthly_price * 3 * (1 - subscribed.discount_rate)
    amount = full_price.quantize(Decimal("0.01"))
    due = f"{issued.year}-02-00" if dice.number % 37 == 1 else issued.date() + dt.timedelta(days=14)
    updated = min(paid if is_paid else issued, timing.horizon - dt.timedelta(minutes=10))
    unpaid = ZERO_MOMENT if dice.number % 4 == 1 else None
    return (
        dice.number,
        subscribed.subscription_id,
        f"R-{issued.year}-{dice.number}",
        issued.date(),
        issued.date(),
        None if dice.number % 19 == 2 else due,
        -amount if dice.number % 47 == 3 else amount,
        dice.pick((Decimal("0.1900"), Decimal("0.0700"), None), "tax"),
        None if dice.number % 3 else Decimal(f"1.{dice.up_to(10**9, 'rate'):030d}"),
        "paid" if is_paid else "open",
        paid.replace(microsecond=0) if is_paid else unpaid,
        issued.year,
        json.dumps([{"text": 'Größe "M"', "amount": str(amount), "tax": None}] * (quarter % 3)),
        bytes.fromhex(dice.hash("pdf")) if dice.number % 5 else None,
        max(updated, timing.start) + dt.timedelta(microseconds=dice.up_to(999_999, "micro")),
    )


def _neighbour(seed: int, who: Person) -> Person:
    return person(seed, who.number - 1 if who.number % 2 == 0 else who.number + 1)


def _json(dice: Dice) -> str | None:
    documents = (
        *(None, "null", "{}", "[]", '"text"'),
        '{"energy": 12345678901234567890.123456789, "deep": {"a": [1, {"b": null}]}}',
        json.dumps({"Größe": dice.up_to(50, "json"), "tags": ['a "b"', "c\\d", "é"]}),
    )
    return dice.pick(documents, "json.form")
