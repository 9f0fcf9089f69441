-- The system tables and views that drivers, dbt and loaders ask for.

create table redshift.stl_load_errors (
    userid integer not null default 100,
    slice integer not null default 0,
    tbl integer not null,
    starttime timestamp not null default (clock_timestamp() at time zone 'UTC'),
    session integer not null,
    query integer not null,
    filename varchar(256) not null,
    line_number bigint not null,
    colname varchar(127) not null,
    type varchar(10) not null,
    col_length varchar(10) not null,
    position integer not null default 0,
    raw_line varchar(1024) not null default '',
    raw_field_value varchar(1024) not null,
    err_code integer not null,
    err_reason varchar(100) not null
);

create function redshift.show_type(type oid, modifier integer) returns varchar language sql stable
return case
    when type = 'jsonb'::regtype then 'super'
    when type = 'bytea'::regtype then 'binary varying'
    else format_type(type, modifier)
end;

create view redshift.pg_attribute as
select a.attrelid, a.attname, a.atttypid, a.attlen, a.attnum, a.atttypmod, a.attnotnull,
    a.atthasdef, a.attisdropped, a.attacl,
    coalesce(o.options ->> 'distkey' = a.attname, false) as attisdistkey,
    coalesce(array_position(array(
        select jsonb_array_elements_text(o.options -> 'sortkeys')
    ), a.attname::text), 0) as attsortkeyord
from pg_catalog.pg_attribute as a
left join redshift.table_options as o on o.table_id = a.attrelid;

create view redshift.pg_table_def as
select n.nspname as schemaname, c.relname as tablename, a.attname as "column",
    redshift.show_type(a.atttypid, a.atttypmod) as type, 'none'::varchar(32) as encoding,
    a.attisdistkey as distkey, a.attsortkeyord as sortkey, a.attnotnull as "notnull"
from pg_class as c
join pg_namespace as n on n.oid = c.relnamespace
join redshift.pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relkind = 'r' and n.nspname = any (current_schemas(false)) and n.nspname <> 'redshift';

create view redshift.pg_views as
select schemaname, viewname, viewowner, definition from pg_catalog.pg_views
where schemaname <> 'redshift'
union all
select schemaname, matviewname, matviewowner, 'create materialized view ' || matviewname || ' as ' || definition
from pg_matviews;

create view redshift.svv_table_info as
select current_database()::varchar as database, n.nspname::varchar as schema, c.oid as table_id,
    c.relname::varchar as "table", 'Y, AUTO(ENCODE)'::varchar as encoded,
    case o.options ->> 'diststyle'
        when 'AUTO' then 'AUTO(ALL)' else coalesce(o.options ->> 'diststyle', 'AUTO(ALL)')
    end::varchar as diststyle,
    coalesce(o.options ->> 'sortkey1', 'AUTO(SORTKEY)')::varchar as sortkey1,
    (
        select max(a.atttypmod - 4) from pg_catalog.pg_attribute as a
        where a.attrelid = c.oid and a.atttypid = 'varchar'::regtype
    ) as max_varchar,
    'none'::varchar as sortkey1_enc,
    coalesce(jsonb_array_length(o.options -> 'sortkeys'), 0) as sortkey_num,
    greatest(1, pg_relation_size(c.oid) / 1048576) as size,
    0::numeric(10, 4) as pct_used, 0::bigint as empty, 0::numeric(5, 2) as unsorted,
    0::numeric(5, 2) as stats_off, greatest(c.reltuples, 0)::numeric(38, 0) as tbl_rows,
    1::numeric(19, 2) as skew_sortkey1, 1::numeric(19, 2) as skew_rows,
    greatest(c.reltuples, 0)::numeric(38, 0) as estimated_visible_rows,
    null::varchar as risk_event, 0::numeric(12, 2) as vacuum_sort_benefit,
    null::timestamp as create_time
from pg_class as c
join pg_namespace as n on n.oid = c.relnamespace
left join redshift.table_options as o on o.table_id = c.oid
where c.relkind in ('r', 'm') and n.nspname not in ('redshift', 'information_schema')
    and n.nspname not like 'pg!_%' escape '!';

create function redshift.pg_get_late_binding_view_cols() returns setof record language sql stable as $$
select n.nspname, c.relname, a.attname, redshift.show_type(a.atttypid, a.atttypmod)::varchar,
    a.attnum::integer
from redshift.late_views as l
join pg_namespace as n on n.nspname = l.schema_name
join pg_class as c on c.relnamespace = n.oid and c.relname = l.view_name
join pg_catalog.pg_attribute as a on a.attrelid = c.oid and a.attnum > 0
$$;

create view redshift.information_schema_tables as
select table_catalog::varchar, table_schema::varchar, table_name::varchar, table_type::varchar
from information_schema.tables where table_schema <> 'redshift';

-- A late-binding view is in pg_get_late_binding_view_cols() only.
create view redshift.information_schema_columns as
select c.table_catalog::varchar, c.table_schema::varchar, c.table_name::varchar,
    c.column_name::varchar, c.ordinal_position::integer, c.column_default::varchar,
    c.is_nullable::varchar,
    case c.data_type
        when 'jsonb' then 'super' when 'bytea' then 'binary varying' else c.data_type
    end::varchar as data_type,
    c.character_maximum_length::integer, c.numeric_precision::integer, c.numeric_scale::integer,
    c.datetime_precision::integer
from information_schema.columns as c
where c.table_schema <> 'redshift' and not exists (
    select from redshift.late_views as l
    where l.schema_name = c.table_schema and l.view_name = c.table_name
);

create view redshift.information_schema_views as
select table_catalog::varchar, table_schema::varchar, table_name::varchar,
    view_definition::varchar, check_option::varchar, is_updatable::varchar,
    is_insertable_into::varchar
from information_schema.views where table_schema <> 'redshift'
union all
select current_database(), schemaname, matviewname,
    'create materialized view ' || matviewname || ' as ' || definition, 'NONE', 'NO', 'NO'
from pg_matviews;

-- Of a system view too, whose name has no schema in Redshift.
create function redshift.has_table_privilege(account text, relation text, privilege text)
returns boolean language sql stable strict return pg_catalog.has_table_privilege(
    account, coalesce(to_regclass(relation), to_regclass('redshift.' || relation))::oid, privilege
);
create function redshift.has_table_privilege(relation text, privilege text)
returns boolean language sql stable strict
return redshift.has_table_privilege(current_user, relation, privilege);

create view redshift.svv_tables as
select *, null::varchar as remarks from redshift.information_schema_tables;
create view redshift.svv_columns as
select *, null::varchar as remarks from redshift.information_schema_columns;
create view redshift.svv_redshift_columns as
select c.table_catalog as database_name, c.table_schema as schema_name, c.table_name,
    c.column_name, c.ordinal_position, c.data_type, c.column_default, c.is_nullable,
    ''::varchar as encoding, false as distkey, 0 as sortkey, null::varchar as column_acl,
    null::varchar as remarks
from redshift.information_schema_columns as c;
create view redshift.svv_relation_privileges as
select g.table_schema::varchar as namespace_name, g.table_name::varchar as relation_name,
    g.privilege_type::varchar, g.grantee::varchar as identity_name,
    case
        when g.grantee = 'PUBLIC' then 'public' when r.rolcanlogin then 'user' else 'role'
    end::varchar as identity_type
from information_schema.role_table_grants as g
left join pg_roles as r on r.rolname = g.grantee;
create view redshift.svv_mv_info as
select current_database()::varchar as database_name, schemaname::varchar as schema_name,
    matviewname::varchar as name, 0 as autorefresh, 'f'::char(1) as is_stale, 1 as state
from pg_matviews;
create view redshift.stv_recents as
select pid, usename as user_name, query, state as status from pg_stat_activity;

-- There are no external tables.
create view redshift.svv_external_columns as
select ''::varchar as schemaname, ''::varchar as tablename, ''::varchar as columnname,
    ''::varchar as external_type, 0 as columnnum, 0 as part_key, ''::varchar as is_nullable
where false;
create view redshift.svv_external_schemas as
select 0::oid as esoid, 0 as eskind, ''::varchar as schemaname, 0 as esowner,
    ''::varchar as databasename, ''::varchar as esoptions where false;
create view redshift.svv_external_tables as
select ''::varchar as schemaname, ''::varchar as tablename, ''::varchar as location where false;

grant select on all tables in schema redshift to public;

do $$
begin
    execute format('alter database %I set timezone to %L', current_database(), 'UTC');
    -- As in PostgreSQL 8.0: backslashes escape.
    execute format('alter database %I set standard_conforming_strings to off', current_database());
    execute format('alter database %I set escape_string_warning to off', current_database());
    execute format('alter database %I set search_path to "$user", public', current_database());
    execute 'grant create on schema public to public';
end
$$;
