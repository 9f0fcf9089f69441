"""The CRM's history: the same for everybody, and messy in every way it promises."""

import datetime as dt

import pytest

from watershed_demo import generate_crm
from watershed_demo.crm.history import TABLES
from watershed_demo.timeline import HISTORY_END, HISTORY_START

pytestmark = pytest.mark.demo

INCREMENTAL = ("contacts", "campaign_touches", "subscriptions", "invoices")


def rows(connection, query):
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def value(connection, query):
    ((one,),) = rows(connection, query)
    return one


def test_the_same_seed_makes_the_same_bytes(crm, mariadb_database, crm_digest) -> None:
    with mariadb_database.connect() as connection:
        with connection.cursor() as cursor:
            cursor.execute("set time_zone = '+05:45', sql_mode = 'ANSI,TRADITIONAL'")
        generate_crm(connection, scale=0.05)
        assert crm_digest(connection) == crm_digest(crm)


def test_another_seed_makes_other_rows_in_every_table(crm, mariadb_database, crm_digest) -> None:
    with mariadb_database.connect() as connection:
        generate_crm(connection, scale=0.05, seed=7)
        ours, theirs = crm_digest(crm), crm_digest(connection)
    assert all(ours[table] != theirs[table] for table in TABLES)


def test_scale_one_is_about_forty_thousand_rows(crm) -> None:
    small = sum(value(crm, f"select count(*) from {table}") for table in TABLES)
    assert 38_000 < small * 20 < 46_000


@pytest.mark.parametrize("table", TABLES)
def test_updates_lie_within_the_history_and_never_in_the_future(crm, table) -> None:
    ((first, last),) = rows(crm, f"select min(updated_at), max(updated_at) from {table}")
    assert first.replace(tzinfo=dt.UTC) >= HISTORY_START
    assert last.replace(tzinfo=dt.UTC) < HISTORY_END


@pytest.mark.parametrize("table", TABLES)
def test_updates_are_spread_over_the_history(crm, table) -> None:
    months = value(crm, f"select count(distinct date_format(updated_at, '%Y%m')) from {table}")
    assert months >= 15


def test_incremental_tables_have_an_index_on_updated_at(crm) -> None:
    indexed = rows(
        crm,
        "select table_name from information_schema.statistics"
        " where table_schema = database() and column_name = 'updated_at'",
    )
    assert {table for (table,) in indexed} == set(INCREMENTAL)


def test_every_quarter_of_a_subscription_is_invoiced_once(crm) -> None:
    query = """
        select count(*) from (
            select subscription_id, period_start, count(*) as invoices from invoices
            group by subscription_id, period_start having invoices > 1
        ) as doubled
    """
    assert value(crm, query) == 0
    wrong = """
        select count(*) from invoices inner join subscriptions using (subscription_id)
        where mod(datediff(period_start, started_on), 90) <> 0
        or period_start > coalesce(nullif(cancelled_on, '0000-00-00'), '9999-12-31')
    """
    assert value(crm, wrong) == 0


MESS = {
    "a key beyond what is signed": "from accounts where account_id > 9223372036854775807",
    "a name that was UTF-8 once": "from accounts where hex(name) like '4DC3BC%'",
    "a name in latin1": "from accounts where hex(name) like '4DFC%'",
    "a byte that latin1 has no letter for": "from accounts where hex(name) like '%81%'",
    "a country in another case": "from accounts where binary country = 'de'",
    "a set of none": "from accounts where flags = ''",
    "a set of two": "from accounts where flags = 'newsletter,key account'",
    "a year that nobody knew": "from accounts where founded = 0",
    "a number with more digits than a warehouse holds": """
        from accounts where annual_revenue > 12345678901234567890123456789012345""",
    "thirty digits after the point": """
        from accounts where annual_revenue < 1e9 and annual_revenue <> round(annual_revenue, 29)""",
    "a truth that is two": "from accounts where is_active = 2",
    "a truth that is below none": "from accounts where is_active = -1",
    "a bit that is null": "from accounts where is_vip is null",
    "bits": "from accounts where permissions > 2048",
    "a date of zeros": "from accounts where signed_on = '0000-00-00'",
    "a date without month and day": "from accounts where signed_on = '2019-00-00'",
    "an empty logo": "from accounts where logo = ''",
    "a logo with a zero byte": "from accounts where locate(0x00, logo) > 0",
    "a note with a line's end": "from accounts where note like '%\\n%'",
    "a tester": "from contacts where email like 'test%@example.com' or email like '%.test'",
    "a contact without an account": "from contacts where account_id is null",
    "a contact whose account is not there": """
        from contacts left join accounts using (account_id)
        where contacts.account_id is not null and accounts.account_id is null""",
    "a missing e-mail": "from contacts where email is null",
    "an empty e-mail": "from contacts where email = ''",
    "an e-mail in capitals": "from contacts where binary email = binary upper(email) <> ''",
    "an e-mail with spaces": "from contacts where email like '  %'",
    "an e-mail with a tag": "from contacts where email like '%+%'",
    "an e-mail of another address": "from contacts where email like '%@work.%'",
    "a phone with the country": "from contacts where phone like '+4930%'",
    "a phone with two zeros": "from contacts where phone like '0049 (30)%'",
    "a phone without the country": "from contacts where phone like '030%'",
    "a phone that is none": "from contacts where phone in ('n/a', '0', '000000', 'unknown')",
    "a missing phone": "from contacts where phone is null",
    "a missing name": "from contacts where full_name is null",
    "a name beyond Latin": "from contacts where full_name like '%伟%'",
    "a birth on the day zero": "from contacts where birth_date = '0000-00-00'",
    "a negative delay": "from contacts where response_delay < 0",
    "a delay of more than a day": "from contacts where response_delay = '838:59:59'",
    "a truth that is a hundred and twenty-seven": "from contacts where opted_in = 127",
    "attributes that are null": "from contacts where attributes is null",
    "attributes that are JSON's null": "from contacts where attributes = 'null'",
    "attributes with a number no double holds": """
        from contacts where attributes like '%.123456789,%'""",
    "a draft": "from campaigns where started_on = '0000-00-00' and fiscal_year = 0",
    "emoji": "from campaigns where name like '%🌷%'",
    "an hour after midnight of the next day": "from campaigns where sends_at = '25:30:00'",
    "an hour of the day before": "from campaigns where sends_at < 0",
    "a touch of nobody": "from campaign_touches where contact_id > 4000000000",
    "a device in another case": "from campaign_touches where binary device = 'DESKTOP'",
    "a cost in millionths": "from campaign_touches where cost <> round(cost, 5)",
    "a column with a space": "from campaign_touches where length(`Landing Page`) > 400",
    "a plan with a space": "from subscriptions where plan like '% '",
    "a subscription cancelled on the day zero": """
        from subscriptions where cancelled_on = '0000-00-00' and status <> 'cancelled'""",
    "the most that a tiny integer holds": "from subscriptions where seats = 255",
    "an invoice due in no month's day": "from invoices where due_on like '%-02-00'",
    "a credit note": "from invoices where amount < 0",
    "a payment at the moment zero": "from invoices where paid_at = '0000-00-00 00:00:00'",
    "an exchange rate of thirty digits": """
        from invoices where exchange_rate <> round(exchange_rate, 29)""",
    "lines that are an empty list": "from invoices where `lines` = '[]'",
}


@pytest.mark.parametrize("mess", MESS)
def test_the_crm_is_messy_on_purpose(crm, mess) -> None:
    assert value(crm, "select count(*) " + MESS[mess]) > 0
