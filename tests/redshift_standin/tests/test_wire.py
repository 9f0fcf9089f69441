"""Drivers connect, load and unload as they would with a cluster."""

import secrets
import threading

import psycopg
import pytest
import redshift_connector

pytestmark = pytest.mark.redshift


@pytest.fixture
def connect(redshift, monkeypatch, connect_by_psycopg, connect_by_amazons_driver):
    def connect_by(driver, **changes):
        if driver == "psycopg":
            return connect_by_psycopg(redshift, **changes)
        return connect_by_amazons_driver(redshift, monkeypatch, **changes)

    return connect_by


@pytest.fixture
def orders(cluster, bucket):
    cluster.execute("create table orders (id int, note varchar(4), doc super)")
    bucket.put("good.csv", '1,a,\n2,b,"{""n"": 1}"\n')
    bucket.put("bad.csv", "3,c,\nfour,d,\n")
    return bucket


def test_amazons_driver_meets_the_version_that_it_expects(amazons_driver):
    with amazons_driver.cursor() as cursor:
        cursor.execute("select version()")
        assert cursor.fetchone()[0].startswith("PostgreSQL 8.0.2 ")
    assert amazons_driver.parameter_statuses
    assert (b"server_version", b"8.0.2") in amazons_driver.parameter_statuses


def test_a_wrong_password_is_refused(connect):  # Amazon's driver would leave its socket open
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        connect("psycopg", password=secrets.token_hex())


def test_a_certificate_of_another_authority_is_refused(connect, postgres_server):
    with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
        connect("psycopg", sslrootcert=str(postgres_server.ca_file))


def test_a_connection_without_tls_is_served_too(connect):
    with connect("psycopg", sslmode="disable") as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_iam_is_believed_and_may_make_the_user(connect):
    name = f"analyst_{secrets.token_hex(4)}"
    with connect("redshift_connector", user=f"IAMA:{name}") as connection:
        connection.rollback()
    with (
        connect("redshift_connector", user=f"IAM:{name}") as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("select current_user")
        assert cursor.fetchone() == [name]
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        connect("psycopg", user=f"IAM:no_{name}")


@pytest.mark.parametrize("driver", ["psycopg", "redshift_connector"])
def test_parameters_travel_apart_from_the_statement(connect, driver):
    with connect(driver) as connection, connection.cursor() as cursor:
        cursor.execute("select nvl(%s::varchar(9), 'x'), len(%s::varchar(9))", ["it's", "ä"])
        assert tuple(cursor.fetchone()) == ("it's", 1)
        connection.rollback()


def test_a_statement_that_runs_too_long_can_be_cancelled(cluster):
    timer = threading.Timer(0.3, cluster.cancel)
    timer.start()
    with pytest.raises(psycopg.errors.QueryCanceled):
        cluster.execute("select count(*) from pg_class a, pg_class b, pg_class c, pg_class d")
    timer.join()


def test_a_statement_timeout_ends_it(cluster):
    cluster.execute("set statement_timeout to 200")
    with pytest.raises(psycopg.errors.QueryCanceled):
        cluster.execute("select count(*) from pg_class a, pg_class b, pg_class c, pg_class d")


def test_several_statements_come_in_one_message(cluster):
    cluster.execute("create table t (id int); insert into t values (1); select id from t")
    assert cluster.execute("select id from t").fetchone() == (1,)


@pytest.mark.parametrize("driver", ["psycopg", "redshift_connector"])
def test_copy_loads_in_the_sessions_transaction(connect, schema, orders, driver):
    table = f"{schema}.orders"
    with connect(driver) as connection, connection.cursor() as cursor:
        cursor.execute(f"create table {schema}.stage (like {table})")
        for _ in range(2):  # the second time by the statement that the driver has prepared
            cursor.execute(f"copy {schema}.stage from '{orders.url('good')}' iam_role default csv")
        cursor.execute(f"select s.id, s.doc.n::int from {schema}.stage s order by id, 2")
        assert [tuple(row) for row in cursor.fetchall()] == [(1, None)] * 2 + [(2, 1)] * 2
        connection.rollback()
        with pytest.raises((psycopg.Error, redshift_connector.Error), match="does not exist"):
            cursor.execute(f"select * from {schema}.stage")
        connection.rollback()


def test_copy_tells_how_many_rows_it_loaded(cluster, orders):
    notices = []
    cluster.add_notice_handler(lambda notice: notices.append(notice.message_primary))
    cluster.execute(f"copy orders (id, note, doc) from '{orders.url('good')}' iam_role default csv")
    assert notices == ["Load into table 'orders' completed, 2 record(s) loaded successfully."]


@pytest.mark.parametrize("driver", ["psycopg", "redshift_connector"])
def test_a_row_that_cannot_be_loaded_is_noted_and_outlives_the_rollback(
    connect, schema, orders, driver
):
    with connect(driver) as connection, connection.cursor() as cursor:
        with pytest.raises((psycopg.Error, redshift_connector.Error), match="stl_load_errors"):
            cursor.execute(f"copy {schema}.orders from '{orders.url('bad')}' iam_role default csv")
        with pytest.raises((psycopg.Error, redshift_connector.Error), match="aborted"):
            cursor.execute("select 1")
        connection.rollback()
        cursor.execute(
            "select line_number, trim(colname), trim(raw_field_value), err_code "
            f"from stl_load_errors where filename = '{orders.url('bad.csv')}' "
            "order by starttime desc limit 1"
        )
        assert tuple(cursor.fetchone()) == (2, "id", "four", 1207)
        cursor.execute(f"select count(*) from {schema}.orders")
        assert tuple(cursor.fetchone()) == (0,)
        connection.rollback()


def test_copy_into_what_is_missing_is_refused(cluster, bucket):
    with pytest.raises(psycopg.errors.UndefinedTable):
        cluster.execute(f"copy missing from '{bucket.url('x')}' iam_role default csv")
    assert cluster.execute("select 1").fetchone() == (1,)


@pytest.mark.parametrize("driver", ["psycopg", "redshift_connector"])
def test_unload_writes_what_copy_reads(connect, schema, orders, driver):
    with connect(driver) as connection, connection.cursor() as cursor:
        cursor.execute(f"copy {schema}.orders from '{orders.url('good')}' iam_role default csv")
        cursor.execute(
            f"unload ('select nvl(id, 0)::int as id, note from {schema}.orders') "
            f"to '{orders.url('out/')}' iam_role default format parquet"
        )
        cursor.execute(f"truncate {schema}.orders")
        cursor.execute(
            f"copy {schema}.orders (id, note) from '{orders.url('out/')}' "
            "iam_role default format parquet"
        )
        cursor.execute(f"select id, note from {schema}.orders order by id")
        assert [tuple(row) for row in cursor.fetchall()] == [(1, "a"), (2, "b")]
        connection.rollback()


def test_an_unload_that_s3_refuses_ends_the_transaction(cluster, orders):
    orders.put("out/there", "already")
    unload = f"unload ('select 1 as id') to '{orders.url('out/')}' iam_role default csv"
    cluster.autocommit = False
    with pytest.raises(psycopg.Error, match="not empty"):
        cluster.execute(unload)
    with pytest.raises(psycopg.errors.InFailedSqlTransaction):
        cluster.execute("select 1")
    cluster.rollback()
