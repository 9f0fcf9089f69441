"""The CRM's days: deterministic, with late rows, deletes where they are allowed, new columns."""

import datetime as dt
import itertools

import pytest

from watershed_demo import Changes, DemoError, apply_crm_day, generate_crm
from watershed_demo.crm.history import TABLES
from watershed_demo.timeline import HISTORY_END
from watershed_servers.pytest_plugin import temporary_mariadb_database

pytestmark = pytest.mark.demo

KEYS = {
    "accounts": "account_id",
    "contacts": "contact_id",
    "campaigns": "campaign_id",
    "campaign_touches": "touch_id",
    "subscriptions": "subscription_id",
    "invoices": "invoice_id",
}
DELETING = {"accounts", "campaigns"}
EXTRACTED_BY_UPDATED_AT = [table for table in TABLES if table not in DELETING]
LATE = ("contacts", "campaign_touches", "subscriptions")
OVERLAP = dt.timedelta(hours=1)
DAYS = (1, 2, 3)


def observe(connection):
    """What is in each table, by key: when it was updated, and the row."""
    with connection.cursor() as cursor:
        seen = {}
        for table, key in KEYS.items():
            cursor.execute(f"select {key}, updated_at, t.* from {table} as t")
            seen[table] = {number: (moment, row) for number, moment, *row in cursor.fetchall()}
        return seen


@pytest.fixture(scope="module")
def days(mariadb_server):
    """A CRM of its own with three days applied, and what each of them did."""
    with temporary_mariadb_database(mariadb_server) as database, database.connect() as connection:
        generate_crm(connection, scale=0.1)
        seen, changes = [observe(connection)], [{}]
        for _ in DAYS:
            changes.append(apply_crm_day(connection))
            seen.append(observe(connection))
        yield connection, seen, changes


def test_the_same_days_make_the_same_bytes(days, mariadb_database, crm_digest) -> None:
    with mariadb_database.connect() as connection:
        generate_crm(connection, scale=0.1)
        for number in DAYS:
            with connection.cursor() as cursor:
                cursor.execute("set time_zone = '-03:30', sql_mode = 'TRADITIONAL'")
            apply_crm_day(connection, day=number)
        assert crm_digest(connection) == crm_digest(days[0])


@pytest.mark.parametrize("number", DAYS)
def test_a_day_touches_about_one_row_in_a_hundred(days, number) -> None:
    _, seen, changes = days
    touched = sum(change.inserted + change.updated for change in changes[number].values())
    assert 0.005 < touched / sum(map(len, seen[number - 1].values())) < 0.03


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("number", DAYS)
def test_a_day_tells_what_it_did(days, number, table) -> None:
    _, seen, changes = days
    before, after = seen[number - 1][table], seen[number][table]
    stays = before.keys() & after.keys()
    updated = sum(before[key][0] != after[key][0] for key in stays)
    inserted, deleted = len(after.keys() - before.keys()), len(before.keys() - after.keys())
    told: Changes = changes[number][table]
    # A row may be inserted and deleted on the same day.
    assert (told.inserted - told.deleted, told.updated) == (inserted - deleted, updated)


@pytest.mark.parametrize("number", DAYS)
def test_a_day_deletes_from_two_tables_only(days, number) -> None:
    _, seen, changes = days
    assert {table for table, change in changes[number].items() if change.deleted} == DELETING
    for table in EXTRACTED_BY_UPDATED_AT:
        assert seen[number - 1][table].keys() <= seen[number][table].keys()


@pytest.mark.parametrize("table", LATE)
@pytest.mark.parametrize("number", DAYS)
def test_some_new_rows_are_stamped_below_what_was_seen_already(days, number, table) -> None:
    _, seen, _ = days
    before, after = seen[number - 1][table], seen[number][table]
    high_water = max(moment for moment, _ in before.values())
    new = [after[key][0] for key in after.keys() - before.keys()]
    delays = [high_water - moment for moment in new if moment <= high_water]
    assert 0 < len(delays) < len(new)
    assert dt.timedelta(0) < min(delays)
    assert max(delays) <= dt.timedelta(minutes=30) < OVERLAP


@pytest.mark.parametrize("table", EXTRACTED_BY_UPDATED_AT)
@pytest.mark.parametrize("number", DAYS)
def test_every_change_is_stamped_within_the_overlap_of_what_was_seen(days, number, table) -> None:
    _, seen, _ = days
    before, after = seen[number - 1][table], seen[number][table]
    high_water = max(moment for moment, _ in before.values())
    width = len(next(iter(before.values()))[1])  # a new column alone is no change of a row
    changed = [
        moment
        for key, (moment, row) in after.items()
        if key not in before or before[key][1] != row[:width]
    ]
    assert min(changed) >= high_water - OVERLAP
    assert max(changed) < (HISTORY_END + dt.timedelta(days=number)).replace(tzinfo=None)


def test_nobody_works_for_an_account_that_is_deleted(days) -> None:
    _, seen, _ = days
    gone = seen[0]["accounts"].keys() - seen[3]["accounts"].keys()
    employers = {row[1] for _, row in seen[3]["contacts"].values()}
    assert gone
    assert not gone & employers


def test_the_first_two_days_add_a_column_each(days) -> None:
    connection, seen, _ = days
    widths = [{table: len(next(iter(one[table].values()))[1]) for table in TABLES} for one in seen]
    added = [
        {table for table in TABLES if after[table] > before[table]}
        for before, after in itertools.pairwise(widths)
    ]
    assert added == [{"contacts"}, {"subscriptions"}, set()]
    with connection.cursor() as cursor:
        cursor.execute("select distinct consent_version is null from contacts")
        assert set(cursor.fetchall()) == {(0,), (1,)}
        cursor.execute("select distinct pause_until is null from subscriptions")
        assert set(cursor.fetchall()) == {(0,), (1,)}


def test_a_day_that_is_not_the_next_changes_nothing(mariadb_database, crm_digest) -> None:
    with mariadb_database.connect() as connection:
        generate_crm(connection, scale=0.01)
        before = crm_digest(connection)
        with pytest.raises(DemoError, match="the next day is 1"):
            apply_crm_day(connection, day=2)
        assert crm_digest(connection) == before


def test_a_day_that_fails_half_way_changes_no_row_and_can_be_repeated(
    mariadb_database, crm_digest
) -> None:
    with mariadb_database.connect() as connection, connection.cursor() as cursor:
        generate_crm(connection, scale=0.01)
        apply_crm_day(connection)
        apply_crm_day(connection)  # the days that add columns are past
        before = crm_digest(connection)
        cursor.execute(
            "alter table invoices add constraint full_up check (updated_at < '2026-07-03')"
        )
        with pytest.raises(Exception, match="full_up"):
            apply_crm_day(connection)
        assert crm_digest(connection) == before
        cursor.execute("alter table invoices drop constraint full_up")
        apply_crm_day(connection, day=3)
        assert crm_digest(connection) != before
