-- What Redshift does with tables: lengths count bytes, options are recorded, views bind late.

-- An explicit cast cuts off, an assignment refuses: both count bytes of UTF-8.
create function redshift.cut(value text, length integer) returns text language plpgsql immutable
strict as $$
declare
    characters integer := least(char_length(value), length);
begin
    while octet_length(pg_catalog.left(value, characters)) > length loop
        characters := characters - greatest(
            1, (octet_length(pg_catalog.left(value, characters)) - length) / 4
        );
    end loop;
    return pg_catalog.left(value, characters);
end
$$;
-- It takes the value so that no planner can call it before there is one.
create function redshift.refuse_long(value text, type_name text, length integer) returns text
language plpgsql immutable as $$
begin
    raise exception 'value too long for type %(%)', type_name, length using errcode = '22001';
end
$$;
create function redshift.fit_varchar(value varchar, modifier integer, is_explicit boolean)
returns varchar language sql immutable return case
    when modifier < 4 or value is null or octet_length(value) <= modifier - 4 then value
    when is_explicit then redshift.cut(value, modifier - 4)
    when octet_length(rtrim(value, ' ')) <= modifier - 4 then redshift.cut(value, modifier - 4)
    else redshift.refuse_long(value, 'character varying', modifier - 4)
end;
-- Every cast and assignment of a VARCHAR to one of another length goes through this.
update pg_cast set castfunc = 'redshift.fit_varchar(varchar, integer, boolean)'::regprocedure
where castsource = 'varchar'::regtype and casttarget = 'varchar'::regtype;

create table redshift.table_options (
    table_id oid primary key, options jsonb not null
);
grant select on redshift.table_options to public;

create function redshift.note_table() returns event_trigger language plpgsql security definer
set standard_conforming_strings = on as $$
declare
    command record;
    note jsonb;
begin
    for command in
        select c.objid, r.relname from pg_event_trigger_ddl_commands() as c
        join pg_class as r on r.oid = c.objid
        where c.classid = 'pg_class'::regclass
            and r.relkind in ('r', 'm')
            and c.command_tag in ('CREATE TABLE', 'CREATE TABLE AS', 'CREATE MATERIALIZED VIEW')
    loop
        -- A query's text has no length in PostgreSQL; in Redshift every text has one.
        update pg_attribute set atttypid = 'varchar'::regtype, atttypmod = 65535 + 4
        where attrelid = command.objid and attnum > 0
            and (atttypid = 'text'::regtype or (atttypid = 'varchar'::regtype and atttypmod = -1));
        select n.note into note
        from regexp_matches(current_query(), '/[*]redshift:(.*?)[*]/', 'g') as m (groups),
            lateral (select m.groups[1]::json::jsonb as note) as n
        where n.note ->> 'table' = command.relname
        limit 1;
        insert into redshift.table_options values (command.objid, coalesce(note, '{}'))
        on conflict (table_id) do update set options = excluded.options;
    end loop;
    perform redshift.refresh_after_ddl();
end
$$;

-- A late-binding view asks for its query's text only when it is read, so nothing depends on what
-- it names. One whose tables are missing has no columns until they are there.
create table redshift.late_views (
    schema_name name, view_name name, query text not null, owner name not null default current_user,
    columns text, primary key (schema_name, view_name)
);
grant select, insert, update, delete on redshift.late_views to public;

create function redshift.read_late(query text) returns setof record language plpgsql stable
set standard_conforming_strings = off as $$
begin
    return query execute query;
end
$$;

-- The columns of a query, as a list that follows AS; NULL while something that it names is missing.
create function redshift.columns_of(query text) returns text language plpgsql
set standard_conforming_strings = off as $$
declare
    result text;
begin
    execute 'create temp view redshift_probe as ' || query;
    select string_agg(format('%I %s', attname, format_type(atttypid, atttypmod)), ', ' order by attnum)
    into result from pg_attribute
    where attrelid = 'pg_temp.redshift_probe'::regclass and attnum > 0;
    drop view pg_temp.redshift_probe;
    return result;
exception when undefined_table or undefined_column or undefined_function or invalid_schema_name then
    return null;
end
$$;

create function redshift.make_late_view(
    schema_name name, view_name name, query text, columns text
) returns void language plpgsql as $$
declare
    definition text := format('view %I.%I as ', schema_name, view_name) || case
        when columns is null then
            format('select from redshift.read_late(%L) as missing (nothing text)', query)
        else format('select * from redshift.read_late(%L) as late (%s)', query, columns)
    end;
begin
    execute 'create or replace ' || definition;
exception when invalid_table_definition then
    execute format('drop view %I.%I', schema_name, view_name);
    execute 'create ' || definition;
end
$$;

create function redshift.create_late_view(
    schema_name text, view_name text, query text, is_replacing boolean
) returns void language plpgsql as $$
declare
    home name := coalesce(schema_name, current_schema());
    columns text;
begin
    perform set_config('redshift.is_making_late_view', 'on', true);
    if not is_replacing and to_regclass(format('%I.%I', home, view_name)) is not null then
        raise exception 'relation "%" already exists', view_name using errcode = '42P07';
    end if;
    delete from redshift.late_views as l where l.schema_name = home and l.view_name = $2;
    columns := redshift.columns_of(query);
    perform redshift.make_late_view(home, view_name::name, query, columns);
    insert into redshift.late_views values (home, view_name, query, current_user, columns);
    perform redshift.refresh_late_views(array[view_name]);
end
$$;

-- What was made or changed may be what a view waits for, or give it other columns, and then that
-- view is a change to views that name it. A view that stays as it is is not touched: another
-- session may be about to do the same.
create function redshift.refresh_late_views(changed_names text[]) returns void
language plpgsql as $$
declare
    late record;
    found_columns text;
    next_names text[];
begin
    perform set_config('redshift.is_making_late_view', 'on', true);
    while changed_names <> '{}' loop
        next_names := '{}';
        for late in
            select l.* from redshift.late_views as l
            where exists (
                select from unnest(changed_names) as c (name)
                where strpos(pg_catalog.lower(l.query), c.name) > 0 and c.name <> l.view_name
            )
        loop
            found_columns := redshift.columns_of(late.query);
            if found_columns is null or found_columns = late.columns then continue; end if;
            begin
                perform redshift.make_late_view(
                    late.schema_name, late.view_name, late.query, found_columns
                );
                execute format(
                    'alter view %I.%I owner to %I', late.schema_name, late.view_name, late.owner
                );
                update redshift.late_views as l set columns = found_columns
                where l.schema_name = late.schema_name and l.view_name = late.view_name;
                next_names := next_names || late.view_name::text;
            exception when dependent_objects_still_exist then null;
            end;
        end loop;
        changed_names := next_names;
    end loop;
    perform set_config('redshift.is_making_late_view', 'off', true);
end
$$;

create function redshift.refresh_after_ddl() returns void language plpgsql as $$
begin
    if current_setting('redshift.is_making_late_view', true) = 'on' then return; end if;
    if not exists (select from redshift.late_views) then return; end if;
    perform redshift.refresh_late_views(array(
        select r.relname::text from pg_event_trigger_ddl_commands() as c
        join pg_class as r on r.oid = c.objid
        where c.classid = 'pg_class'::regclass
    ));
end
$$;

create function redshift.forget_dropped() returns event_trigger language plpgsql security definer as $$
begin
    if current_setting('redshift.is_making_late_view', true) = 'on' then return; end if;
    delete from redshift.table_options
    where table_id in (select objid from pg_event_trigger_dropped_objects());
    delete from redshift.late_views as l using pg_event_trigger_dropped_objects() as d
    where d.object_type = 'view' and d.schema_name = l.schema_name and d.object_name = l.view_name;
end
$$;

create function redshift.note_renamed() returns event_trigger language plpgsql security definer as $$
begin
    if current_setting('redshift.is_making_late_view', true) = 'on' then return; end if;
    -- A view that was renamed or moved is another row of late_views.
    update redshift.late_views as l set schema_name = n.nspname, view_name = r.relname
    from pg_event_trigger_ddl_commands() as c
    join pg_class as r on r.oid = c.objid and r.relkind = 'v'
    join pg_namespace as n on n.oid = r.relnamespace
    where c.classid = 'pg_class'::regclass
        and strpos(pg_get_viewdef(r.oid), 'redshift.read_late') > 0
        and to_regclass(format('%I.%I', l.schema_name, l.view_name)) is null;
    perform redshift.refresh_after_ddl();
end
$$;

create event trigger redshift_note_table on ddl_command_end
when tag in ('CREATE TABLE', 'CREATE TABLE AS', 'CREATE MATERIALIZED VIEW', 'CREATE VIEW')
execute function redshift.note_table();
create event trigger redshift_note_renamed on ddl_command_end
when tag in ('ALTER TABLE', 'ALTER VIEW') execute function redshift.note_renamed();
create event trigger redshift_forget_dropped on sql_drop execute function redshift.forget_dropped();
