"""Days after the history: what a sales team does to its tables while somebody copies them."""

import dataclasses
import datetime as dt
from collections import Counter
from typing import TYPE_CHECKING

from watershed_demo.chance import Dice
from watershed_demo.crm.history import TABLES, company_table, insert_rows, prepare_session
from watershed_demo.crm.rows import (
    DRAFT_EVERY,
    CrmSize,
    Subscription,
    account,
    campaign,
    contact,
    invoice,
    subscription,
    touch,
)
from watershed_demo.exceptions import DemoError
from watershed_demo.timeline import Changes, Timing, new_numbers, sample

if TYPE_CHECKING:
    from pymysql import Connection
    from pymysql.cursors import Cursor

NEW_COLUMNS = {
    1: "alter table contacts add column if not exists consent_version smallint unsigned",
    2: "alter table subscriptions add column if not exists pause_until date",
}
ACCOUNTS_DELETED_PER_DAY = 2
# Of each table: the share of rows that a day updates, how, and the table's key.
UPDATES = {
    "accounts": (
        0.01,
        "credit_limit = coalesce(credit_limit, 0) + 100.05, segment = 'mid market'",
        "account_id",
    ),
    "contacts": (
        0.009,
        """email = case when mod(contact_id, 2) = 0 then lower(trim(email)) else email end,
        opted_in = case opted_in when 1 then 0 else 1 end,
        consent_version = mod(contact_id, 4), lead_score = lead_score / 3""",
        "contact_id",
    ),
    "campaigns": (0.02, "budget = coalesce(budget, 0) + 0.01", "campaign_id"),
    "campaign_touches": (
        0.006,
        "kind = case kind when 'sent' then 'opened' else 'clicked' end",
        "touch_id",
    ),
}


@dataclasses.dataclass(frozen=True)
class _Day:
    number: int
    seed: int
    size: CrmSize
    timing: Timing

    def new(self, kind: str) -> range:
        """Numbers of the new rows of one of the kinds that `CrmSize` counts."""
        return new_numbers(getattr(self.size, kind), self.number)

    def dice(self, kind: str, number: int = 0) -> Dice:
        """Chances that are others on another day."""
        return Dice(f"{self.seed}:{self.number}", kind, number)


def apply_crm_day(
    connection: "Connection[Cursor]", *, day: int | None = None
) -> dict[str, Changes]:
    """Apply the next day of changes, in one transaction.

    Rows are deleted from ``accounts`` (without contacts) and ``campaigns`` (drafts) only; the first
    two days add a column each.

    Args:
        connection: to a database that `generate_crm` filled, as the same user.
        day: the day one expects to apply; None for whichever is next.

    Returns:
        The changes by table.

    Raises:
        DemoError: ``day`` is not the next day.
    """
    with connection.cursor() as cursor:
        prepare_session(cursor)
        today = _next_day(cursor, day)
        # MariaDB commits changes of columns at once: a day that fails later finds its own.
        if today.number in NEW_COLUMNS:
            cursor.execute(NEW_COLUMNS[today.number])
        connection.begin()
        try:
            _next_day(cursor, today.number)
            inserted = _insert_new_rows(cursor, today)
            updated = _update_rows(cursor, today)
            deleted = _delete_rows(cursor, today)
            cursor.execute(f"update {company_table(cursor)} set day = %s", [today.number])
        except BaseException:
            connection.rollback()
            raise
        connection.commit()
    return {table: Changes(inserted[table], updated[table], deleted[table]) for table in TABLES}


def _next_day(cursor: "Cursor", expected: int | None) -> _Day:
    cursor.execute(f"select scale, seed, day from {company_table(cursor)} for update")
    ((scale, seed, last_day),) = cursor.fetchall()
    number = last_day + 1
    if expected not in (None, number):
        raise DemoError(f"day {expected} cannot be applied: the next day is {number}")
    return _Day(number, seed, CrmSize.at_scale(scale), Timing.of_day(number))


def _insert_new_rows(cursor: "Cursor", today: _Day) -> Counter[str]:
    """Insert the day's new rows, a tenth of them late where extraction goes by ``updated_at``."""
    seed, timing = today.seed, today.timing
    accounts, contacts, campaigns = map(today.new, ("accounts", "contacts", "campaigns"))
    touches, subscriptions = map(today.new, ("touches", "subscriptions"))
    size = dataclasses.replace(
        today.size,
        accounts=accounts.stop - 1,
        contacts=contacts.stop - 1,
        campaigns=campaigns.start - 1,
    )
    late_contacts = timing.with_late(contacts, _last_update(cursor, "contacts"))
    late_touches = timing.with_late(touches, _last_update(cursor, "campaign_touches"))
    late = timing.with_late(subscriptions, _last_update(cursor, "subscriptions"))
    new = [subscription(seed, n, subscriptions, late, size) for n in subscriptions]
    due = [*_due_invoices(cursor, today), *((one, 0) for one in new)]
    rows = {
        "accounts": [account(seed, n, accounts, timing) for n in accounts],
        "contacts": [contact(seed, n, contacts, late_contacts, size) for n in contacts],
        "campaigns": [campaign(seed, n, campaigns, timing) for n in campaigns],
        "campaign_touches": [touch(seed, n, touches, late_touches, size) for n in touches],
        "subscriptions": [one.row() for one in new],
        "invoices": [invoice(seed, one, quarter, timing) for one, quarter in due],
    }
    return Counter({table: insert_rows(cursor, table, rows[table]) for table in TABLES})


def _due_invoices(cursor: "Cursor", today: _Day) -> list[tuple[Subscription, int]]:
    """The subscriptions that begin a quarter today, which they have not begun before."""
    names = [field.name for field in dataclasses.fields(Subscription)]
    cursor.execute(
        f"select {', '.join(names)} from subscriptions where status <> 'cancelled'"
        " and started_on < %s and mod(datediff(%s, started_on), 90) = 0 order by subscription_id",
        [today.timing.start.date()] * 2,
    )
    running = [Subscription(*row) for row in cursor.fetchall()]
    return [(one, (today.timing.start.date() - one.started_on).days // 90) for one in running]


def _update_rows(cursor: "Cursor", today: _Day) -> Counter[str]:
    updated: Counter[str] = Counter()
    sizes = dict(zip(TABLES, dataclasses.astuple(today.size)[:4], strict=False))
    for table, (share, changes, key) in UPDATES.items():
        dice = today.dice(f"{table}.updates")
        for number in sample(dice, sizes[table], share):
            moment = today.timing.moment(dataclasses.replace(dice, number=number), "moment")
            cursor.execute(
                f"update {table} set {changes}, updated_at = %s where {key} = %s",
                [moment, number],
            )
            updated[table] += cursor.rowcount
    updated["subscriptions"] = _update_subscriptions(cursor, today)
    updated["invoices"] = _pay_invoices(cursor, today)
    return updated


def _update_subscriptions(cursor: "Cursor", today: _Day) -> int:
    """Cancel some, and let others pause, once there is a column that says so."""
    count = 0
    pause = ", pause_until = %s" if today.number >= 2 else ""  # noqa: PLR2004  # see NEW_COLUMNS
    cancel = "status = 'cancelled', cancelled_on = %s"
    dice = today.dice("subscription.updates")
    for number in sample(dice, today.size.subscriptions, 0.008):
        moment = today.timing.moment(dataclasses.replace(dice, number=number), "moment")
        is_paused = bool(pause) and number % 2 == 0
        assignment = f"status = 'active'{pause}" if is_paused else cancel
        until = moment.date() + dt.timedelta(days=30 if is_paused else 0)
        cursor.execute(
            f"update subscriptions set {assignment}, updated_at = %s"
            " where subscription_id = %s and status <> 'cancelled'",
            [until, moment.replace(microsecond=0), number],
        )
        count += cursor.rowcount
    return count


def _pay_invoices(cursor: "Cursor", today: _Day) -> int:
    cursor.execute(
        "select invoice_id from invoices where status = 'open' and updated_at < %s",
        [today.timing.start],
    )
    count = 0
    for (invoice_id,) in cursor.fetchall():
        dice = today.dice("invoice.pays", invoice_id)
        if dice.happens(0.2, "today"):
            moment = today.timing.moment(dice, "moment")
            cursor.execute(
                "update invoices set status = 'paid', paid_at = %s, updated_at = %s"
                " where invoice_id = %s",
                [moment.replace(microsecond=0), moment, invoice_id],
            )
            count += cursor.rowcount
    return count


def _delete_rows(cursor: "Cursor", today: _Day) -> Counter[str]:
    """Delete accounts that nobody works for, and a draft."""
    deleted: Counter[str] = Counter()
    chance = f"{today.seed}:{today.number}:"
    cursor.execute(
        "delete from accounts where not exists"
        " (select 1 from contacts where contacts.account_id = accounts.account_id)"
        " order by md5(concat(%s, account_id)) limit %s",
        [chance, ACCOUNTS_DELETED_PER_DAY],
    )
    deleted["accounts"] = cursor.rowcount
    cursor.execute(
        "delete from campaigns where mod(campaign_id, %s) = 0"
        " order by md5(concat(%s, campaign_id)) limit 1",
        [DRAFT_EVERY, chance],
    )
    deleted["campaigns"] = cursor.rowcount
    return deleted


def _last_update(cursor: "Cursor", table: str) -> dt.datetime:
    cursor.execute(f"select max(updated_at) from {table}")
    ((moment,),) = cursor.fetchall()
    last: dt.datetime = moment.replace(tzinfo=dt.UTC)
    return last
