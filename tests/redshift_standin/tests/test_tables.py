"""Tables and views as Redshift keeps them."""

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.redshift

LENGTH = 6
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
ON_ONE_CLUSTER = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def test_keys_are_noted_and_not_enforced(ask):
    ask("create table customers (id int primary key, email varchar(20) unique)")
    ask(
        "create table orders (id int, customer_id int references customers (id), "
        "primary key (id), foreign key (customer_id) references customers (id))"
    )
    ask("insert into customers values (1, 'a'), (1, 'a')")
    ask("insert into orders values (1, 7), (1, 8)")
    assert ask("select count(*) from orders") == [(2,)]
    with pytest.raises(psycopg.errors.NotNullViolation):
        ask("insert into orders values (null, 1)")


def test_names_have_up_to_127_bytes(ask):
    name, longer = "n" * 63 + "ä" * 32, "n" * 63 + "ä" * 31 + "b"
    ask(f"create table {name} (id int)")
    ask(f"create table {longer} (id int)")
    ask(f"insert into {name} values (7)")
    assert ask(f'select id from "{name.upper()}"') == [(7,)]
    assert ask(f"select id from {longer}") == []
    found = "select column_name from svv_columns where table_name ="
    assert ask(f"{found} '{name}'") == [("id",)]
    ask(f"drop table {name}")
    assert ask(f"{found} '{name}'") == []
    with pytest.raises(psycopg.errors.NameTooLong):
        ask(f"create table {name}ä (id int)")


def test_a_length_counts_bytes(ask):
    ask("create table t (a varchar(3))")
    ask("insert into t values ('abc'), ('äb'), ('ab    ')")
    with pytest.raises(
        psycopg.errors.StringDataRightTruncation,
        match=r"value too long for type character varying\(3\)",
    ):
        ask("insert into t values ('äöü')")
    with pytest.raises(psycopg.errors.StringDataRightTruncation):
        ask("insert into t select %s", "äöü")
    with pytest.raises(psycopg.errors.StringDataRightTruncation):
        ask("update t set a = 'äöü'")
    ask("alter table t alter column a type varchar(6)")
    ask("insert into t values ('äöü')")


@ON_ONE_CLUSTER
@given(text=TEXTS)
def test_a_text_is_stored_whole_or_refused(ask, text):
    ask(f"create table #t (a varchar({LENGTH}))")
    try:
        if len(text.encode()) <= LENGTH:
            ask("insert into #t select %s", text)
            assert ask("select a from #t") == [(text,)]
        elif len(text.rstrip(" ").encode()) > LENGTH:
            with pytest.raises(psycopg.errors.StringDataRightTruncation):
                ask("insert into #t select %s", text)
    finally:
        ask("drop table #t")


@ON_ONE_CLUSTER
@given(text=TEXTS)
def test_a_cast_cuts_at_a_character_of_which_all_bytes_fit(ask, text):
    ((cut,),) = ask(f"select cast(%s::varchar(400) as varchar({LENGTH}))", text)
    assert text.startswith(cut)
    assert len(cut.encode()) <= LENGTH
    if cut != text:
        assert len((cut + text[len(cut)]).encode()) > LENGTH


def test_types_without_a_length_have_redshifts(ask):
    ask(
        "create table t (a varchar, b text, c numeric, d char, e varchar(max), f super, "
        "g double precision, h timestamp with time zone, i bpchar)"
    )
    ask('set search_path to "$user", public')  # pg_table_def looks where the session looks
    ((schema,),) = ask(
        "select max(table_schema) from information_schema.tables where table_name='t'"
    )
    ask(f"set search_path to {schema}")
    assert dict(ask("select \"column\", type from pg_table_def where tablename = 't'")) == {
        "a": "character varying(256)",
        "b": "character varying(256)",
        "c": "numeric(18,0)",
        "d": "character(1)",
        "e": "character varying(65535)",
        "f": "super",
        "g": "double precision",
        "h": "timestamp with time zone",
        "i": "character(256)",
    }


def test_every_text_of_a_query_has_a_length(ask):
    ask("create table t as select 'abc' as a, 'x'::varchar(5) || 'y' as b")
    assert ask("select distinct type from pg_table_def where tablename = 't'") == [
        ("character varying(65535)",)
    ]


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ("", ("AUTO(ALL)", "AUTO(SORTKEY)", 0)),
        ("diststyle even", ("EVEN", "AUTO(SORTKEY)", 0)),
        ("distkey(id) sortkey(day, id)", ("KEY(id)", "day", 2)),
        ("diststyle key distkey(id) compound sortkey(day)", ("KEY(id)", "day", 1)),
        ("interleaved sortkey(id, day)", ("AUTO(ALL)", "INTERLEAVED", 2)),
        ("backup no diststyle all encode auto", ("ALL", "AUTO(SORTKEY)", 0)),
    ],
)
@pytest.mark.parametrize("definition", ["(id int, day date) {}", "{} as select 1 as id, 2 as day"])
def test_where_rows_are_kept_is_shown(ask, schema, definition, options, shown):
    ask(f'create table "Kept" {definition.format(options)}')
    assert ask(
        "select diststyle, sortkey1, sortkey_num from svv_table_info "
        f"where \"schema\" = '{schema}' and \"table\" = 'kept'"
    ) == [shown]


def test_a_column_may_be_the_key_itself(ask):
    ask("create table t (id int encode raw distkey sortkey, day date encode az64)")
    assert ask("select \"column\", distkey, sortkey from pg_table_def where tablename = 't'") == [
        ("id", True, 1),
        ("day", False, 0),
    ]


def test_identity_counts_by_its_step(ask):
    ask(
        "create table t (id bigint identity(10, 5), a int, "
        "n bigint generated by default as identity(1, 1))"
    )
    ask("insert into t (a) values (1), (2)")
    ask("insert into t (n, a) values (7, 3)")
    assert ask("select id, n from t order by a") == [(10, 1), (15, 2), (20, 7)]
    with pytest.raises(psycopg.Error):
        ask("insert into t (id, a) values (1, 1)")


def test_a_temporary_table_may_have_a_hash(cluster, ask):
    ask("create table #stage (id int)")
    ask("insert into #stage values (1)")
    assert ask("select s.id from #stage as s") == [(1,)]
    ask("create temp table other (like #stage)")
    cluster.autocommit = False
    cluster.execute("drop table #stage")
    cluster.commit()


def test_an_ordinary_view_keeps_its_table(ask):
    ask("create table t (id int)")
    ask("create view v as select id from t")
    with pytest.raises(psycopg.errors.DependentObjectsStillExist):
        ask("drop table t")


def test_a_late_binding_view_survives_its_table(ask, schema):
    ask("create table base as select 1 as id, 'a'::varchar(5) as name")
    ask(f"create view late as select id, name from {schema}.base with no schema binding")
    ask(f"create view second as select id + 1 as id from {schema}.late with no schema binding")
    assert ask("select * from second") == [(2,)]
    ask("drop table base")
    with pytest.raises(psycopg.errors.UndefinedTable, match=r"base\" does not exist"):
        ask("select * from late")
    ask("create table base as select 'x'::varchar(9) as name, 5::bigint as id")
    assert ask("select id, name from late") == [(5, "x")]
    assert ask("select * from second") == [(6,)]


def test_a_late_binding_view_follows_the_name_and_not_the_table(ask, schema):
    ask("create table t as select 1 as id")
    ask(f"create view late as select id from {schema}.t with no schema binding")
    ask("create table t_new as select 2 as id")
    ask("alter table t rename to t_old")
    ask("alter table t_new rename to t")
    assert ask("select id from late") == [(2,)]


def test_a_late_binding_view_may_name_what_is_missing(ask, schema):
    ask(f"create view late as select id from {schema}.missing with no schema binding")
    with pytest.raises(psycopg.errors.UndefinedTable, match="missing"):
        ask("select * from late")
    ask("create table missing as select 3 as id")
    assert ask("select id from late") == [(3,)]
    ask(
        f"create or replace view late as select 'x' as a from {schema}.missing "
        "with no schema binding"
    )
    assert ask("select * from late") == [("x",)]
    with pytest.raises(psycopg.errors.DuplicateTable):
        ask("create view late as select 1 as id with no schema binding")


def test_only_its_own_function_tells_a_late_binding_views_columns(ask, schema):
    ask("create table t (id int, note varchar(7), doc super)")
    ask(f"create view late as select * from {schema}.t with no schema binding")
    assert ask(
        "select col, type from pg_get_late_binding_view_cols() "
        "cols(view_schema name, view_name name, col name, type varchar, num int) "
        f"where view_schema = '{schema}' order by num"
    ) == [("id", "integer"), ("note", "character varying(7)"), ("doc", "super")]
    assert (
        ask(
            "select column_name from information_schema.columns "
            f"where table_schema = '{schema}' and table_name = 'late'"
        )
        == []
    )
    ask("drop view late")
    assert (
        ask(
            "select col from pg_get_late_binding_view_cols() "
            "cols(view_schema name, view_name name, col name, type varchar, num int) "
            f"where view_schema = '{schema}'"
        )
        == []
    )


def test_truncate_commits(cluster, ask):
    ask("create table t as select 1 as id")
    cluster.autocommit = False
    cluster.execute("insert into t values (2)")
    cluster.execute("truncate t")
    assert cluster.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
    cluster.rollback()
    assert cluster.execute("select count(*) from t").fetchone() == (0,)
    cluster.rollback()


def test_vacuum_wants_no_transaction(cluster, ask):
    ask("create table t (id int)")
    ask("vacuum delete only t to 75 percent")
    ask("analyze t predicate columns")
    cluster.autocommit = False
    cluster.execute("select 1")
    with pytest.raises(psycopg.errors.ActiveSqlTransaction):
        cluster.execute("vacuum t")
    cluster.rollback()


def test_what_changes_nothing_but_where_rows_are_kept_is_taken(ask):
    ask("create table t (id int, a varchar(3))")
    for change in (
        "alter distkey id",
        "alter diststyle even",
        "alter sortkey (id)",
        "alter column a encode zstd",
        "add primary key (id)",
        "add constraint c foreign key (id) references t (id)",
        "add column b super",
        "drop column b",
        "rename column a to c",
    ):
        ask(f"alter table t {change}")
    with pytest.raises(psycopg.errors.UndefinedTable):
        ask("alter table missing alter distkey id")


def test_names_are_folded_even_in_quotes(ask):
    ask('create table "Orders" ("Id" int)')
    ask("insert into orders (ID) values (1)")
    assert ask('select "iD" from "ORDERS"') == [(1,)]


def test_rights_are_asked_for_by_a_system_views_own_name(ask):
    assert ask("select has_table_privilege(current_user, 'svv_table_info', 'select')") == [(True,)]
