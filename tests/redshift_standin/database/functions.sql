-- Functions as Redshift has them, in a schema that only the dialect names. Written without
-- backslashes, which are escapes in Redshift's strings and, here, in the database's.

create schema redshift;
grant usage on schema redshift to public;

-- SUPER is jsonb. A text becomes a scalar, never a document: that takes json_parse.
create function redshift.to_super(value text) returns jsonb language sql immutable strict
return to_jsonb(value);
create function redshift.to_super(value varchar) returns jsonb language sql immutable strict
return to_jsonb(value::text);
create function redshift.to_super(value bigint) returns jsonb language sql immutable strict
return to_jsonb(value);
create function redshift.to_super(value integer) returns jsonb language sql immutable strict
return to_jsonb(value);
create function redshift.to_super(value numeric) returns jsonb language sql immutable strict
return to_jsonb(value);
create function redshift.to_super(value double precision) returns jsonb
language sql immutable strict return to_jsonb(value);
create function redshift.to_super(value boolean) returns jsonb language sql immutable strict
return to_jsonb(value);
create function redshift.super_text(value jsonb) returns text language sql immutable strict
return case
    when jsonb_typeof(value) in ('object', 'array') then null
    else value #>> '{}'
end;
create function redshift.super_varchar(value jsonb) returns varchar language sql immutable strict
return redshift.super_text(value)::varchar;

-- SUPER has none of these operators of jsonb; beside the casts below, `1.5 - 1` could be one of them.
delete from pg_operator
where 'jsonb'::regtype in (oprleft, oprright) and oprname in ('-', '#-');

create cast (text as jsonb) with function redshift.to_super(text) as assignment;
create cast (varchar as jsonb) with function redshift.to_super(varchar) as implicit;
create cast (bigint as jsonb) with function redshift.to_super(bigint) as implicit;
create cast (integer as jsonb) with function redshift.to_super(integer) as implicit;
create cast (numeric as jsonb) with function redshift.to_super(numeric) as implicit;
create cast (double precision as jsonb) with function redshift.to_super(double precision) as implicit;
create cast (boolean as jsonb) with function redshift.to_super(boolean) as implicit;
create cast (jsonb as text) with function redshift.super_text(jsonb) as assignment;
create cast (jsonb as varchar) with function redshift.super_varchar(jsonb) as assignment;

create function redshift.first_of(items anycompatiblearray) returns anycompatible
language sql immutable strict as 'select items[1]';
create function redshift.last_of(items anycompatiblearray) returns anycompatible
language sql immutable strict as 'select items[cardinality(items)]';

create function redshift.member(document jsonb, name text) returns jsonb
language sql immutable strict return nullif(
    case when jsonb_typeof(document) = 'object' then document -> name end, 'null'
);
create function redshift.element(document jsonb, place integer) returns jsonb
language sql immutable strict return nullif(
    case when jsonb_typeof(document) = 'array' and place >= 0 then document -> place end, 'null'
);
create function redshift.numbered_elements(document jsonb, out element jsonb, out place bigint)
returns setof record language plpgsql immutable as $$
begin
    if document is null or document = 'null' then return; end if;
    if jsonb_typeof(document) <> 'array' then
        raise exception 'the stand-in unnests arrays only, and this SUPER is of type %',
            jsonb_typeof(document) using errcode = '0A000';
    end if;
    return query select e.value, e.number - 1
        from jsonb_array_elements(document) with ordinality as e (value, number);
end
$$;
create function redshift.elements(document jsonb) returns setof jsonb language sql immutable
as 'select element from redshift.numbered_elements(document) order by place';

create function redshift.json_serialize(document jsonb) returns varchar language plpgsql immutable
strict as $$
begin
    case jsonb_typeof(document)
        when 'object' then
            return '{' || coalesce((
                select string_agg(to_json(m.key)::text || ':' || redshift.json_serialize(m.value), ',')
                from jsonb_each(document) as m
            ), '') || '}';
        when 'array' then
            return '[' || coalesce((
                select string_agg(redshift.json_serialize(e.value), ',' order by e.number)
                from jsonb_array_elements(document) with ordinality as e (value, number)
            ), '') || ']';
        else return document::json::text;
    end case;
end
$$;
create function redshift.json_parse(document text) returns jsonb language plpgsql immutable strict
as $$
begin
    return document::json::jsonb;
exception when invalid_text_representation then
    raise exception 'Invalid JSON: %', left(document, 40) using errcode = 'XX000';
end
$$;
create function redshift.is_valid_json(document text) returns boolean language plpgsql immutable
strict as $$
begin
    return json_typeof(document::json) = 'object';
exception when invalid_text_representation then return false;
end
$$;
create function redshift.is_valid_json_array(document text) returns boolean language plpgsql
immutable strict as $$
begin
    return json_typeof(document::json) = 'array';
exception when invalid_text_representation then return false;
end
$$;
create function redshift.json_extract_path_text(document text, path text[], is_null_if_invalid boolean)
returns varchar language plpgsql immutable strict as $$
begin
    return coalesce(document::json #>> path, '');
exception when invalid_text_representation then
    if is_null_if_invalid then return null; end if;
    raise exception 'JSON parsing error' using errcode = 'XX000';
end
$$;
create function redshift.json_array_length(document text, is_null_if_invalid boolean default false)
returns integer language plpgsql immutable strict as $$
begin
    return json_array_length(document::json);
exception when invalid_text_representation or invalid_parameter_value then
    if is_null_if_invalid then return null; end if;
    raise exception 'JSON parsing error' using errcode = 'XX000';
end
$$;
create function redshift.json_extract_array_element_text(
    document text, place integer, is_null_if_invalid boolean default false
) returns varchar language plpgsql immutable strict as $$
begin
    return document::json ->> place;
exception when invalid_text_representation then
    if is_null_if_invalid then return null; end if;
    raise exception 'JSON parsing error' using errcode = 'XX000';
end
$$;
create function redshift.get_array_length(document jsonb) returns integer language sql immutable
strict return case when jsonb_typeof(document) = 'array' then jsonb_array_length(document) end;
create function redshift.array_concat(first jsonb, second jsonb) returns jsonb language plpgsql
immutable strict as $$
begin
    if jsonb_typeof(first) <> 'array' or jsonb_typeof(second) <> 'array' then
        raise exception 'array_concat takes two arrays' using errcode = '22023';
    end if;
    return first || second;
end
$$;
create function redshift.json_typeof(document jsonb) returns varchar language sql immutable strict
return jsonb_typeof(document);
create function redshift.is_array(document jsonb) returns boolean language sql immutable strict
return jsonb_typeof(document) = 'array';
create function redshift.is_object(document jsonb) returns boolean language sql immutable strict
return jsonb_typeof(document) = 'object';
create function redshift.is_scalar(document jsonb) returns boolean language sql immutable strict
return jsonb_typeof(document) not in ('array', 'object');

-- Text. The database's locale is C, in which only ASCII has two cases; Redshift's is Unicode.
create function redshift.lower(value text) returns varchar language sql immutable strict
return pg_catalog.lower(value collate "und-x-icu");
create function redshift.upper(value text) returns varchar language sql immutable strict
return pg_catalog.upper(value collate "und-x-icu");
create function redshift.initcap(value text) returns varchar language sql immutable strict
return pg_catalog.initcap(value collate "und-x-icu");
create function redshift.len(value text) returns integer language sql immutable strict
return char_length(value);
create function redshift.textlen(value text) returns integer language sql immutable strict
return char_length(value);
create function redshift.left(value text, length integer) returns varchar language sql immutable strict
return pg_catalog.left(value, greatest(length, 0));
create function redshift.right(value text, length integer) returns varchar language sql immutable strict
return pg_catalog.right(value, greatest(length, 0));
create function redshift.charindex(part text, value text) returns integer language sql immutable
strict return strpos(value, part);
create function redshift.split_part(value text, delimiter text, place bigint) returns varchar
language plpgsql immutable strict as $$
begin
    if place < 1 then
        raise exception 'field position must be greater than zero' using errcode = '22023';
    end if;
    return pg_catalog.split_part(value, delimiter, place::integer);
end
$$;
-- Every match is replaced. What stands for a match is written otherwise in PostgreSQL: refused.
create function redshift.regexp_replace(value text, pattern text, replacement text default '')
returns varchar language plpgsql immutable strict as $$
begin
    if strpos(replacement, '$') > 0 or strpos(replacement, chr(92)) > 0 then
        raise exception 'the stand-in knows regexp_replace without references to groups only'
            using errcode = '0A000';
    end if;
    return pg_catalog.regexp_replace(value, pattern, replacement, 'g');
end
$$;
create function redshift.regexp_substr(value text, pattern text) returns varchar language sql
immutable strict return coalesce(pg_catalog.regexp_substr(value, pattern), '');
create function redshift.regexp_substr(value text, pattern text, place integer, occurrence integer)
returns varchar language sql immutable strict
return coalesce(pg_catalog.regexp_substr(value, pattern, place, occurrence), '');
create function redshift.regexp_count(value text, pattern text) returns integer language sql
immutable strict return pg_catalog.regexp_count(value, pattern);
create function redshift.regexp_instr(value text, pattern text) returns integer language sql
immutable strict return pg_catalog.regexp_instr(value, pattern);
create function redshift.to_hex(value bigint) returns varchar language sql immutable strict
return pg_catalog.to_hex(value);
create function redshift.sha1(value text) returns varchar language plpgsql immutable strict as $$
begin
    raise exception 'the stand-in has no SHA-1: use sha2' using errcode = '0A000';
end
$$;
create function redshift.sha(value text) returns varchar language sql immutable strict
return redshift.sha1(value);
create function redshift.func_sha1(value text) returns varchar language sql immutable strict
return redshift.sha1(value);
create function redshift.sha2(value text, bits integer) returns varchar language plpgsql immutable
strict as $$
declare
    bytes bytea := convert_to(value, 'UTF8');
begin
    return encode(case bits
        when 0 then sha256(bytes) when 224 then sha224(bytes) when 256 then sha256(bytes)
        when 384 then sha384(bytes) when 512 then sha512(bytes)
    end, 'hex');
end
$$;
create function redshift.strtol(value text, base integer) returns bigint language plpgsql immutable
strict as $$
declare
    total numeric := 0;
    digits text := pg_catalog.lower(value);
    digit integer;
begin
    if base not between 2 and 36 then
        raise exception 'The input base is invalid' using errcode = '22023';
    end if;
    if base = 16 and digits like '0x%' then digits := substr(digits, 3); end if;
    for place in 1 .. length(digits) loop
        digit := strpos('0123456789abcdefghijklmnopqrstuvwxyz', substr(digits, place, 1)) - 1;
        if digit not between 0 and base - 1 then
            raise exception 'The input % is not valid to be converted to base %', value, base
                using errcode = '22023';
        end if;
        total := total * base + digit;
    end loop;
    return total;
end
$$;

-- Numbers.
create function redshift.round(value numeric, places integer default 0) returns numeric
language sql immutable strict return pg_catalog.round(value, places);
create function redshift.round(value double precision, places integer default 0)
returns double precision language sql immutable strict
return pg_catalog.round(value::numeric, places)::double precision;
create function redshift.trunc(value numeric, places integer default 0) returns numeric
language sql immutable strict return pg_catalog.trunc(value, places);
create function redshift.trunc(value double precision) returns double precision
language sql immutable strict return pg_catalog.trunc(value);
create function redshift.trunc(value timestamp) returns date language sql immutable strict
return value::date;
create function redshift.keep_first(state anyelement, value anyelement) returns anyelement
language sql immutable as 'select coalesce(state, value)';
create aggregate redshift.any_value(anyelement) (sfunc = redshift.keep_first, stype = anyelement);

-- Moments.
create function redshift.getdate() returns timestamp language sql stable
return date_trunc('second', now() at time zone 'UTC');
create function redshift.sysdate() returns timestamp language sql stable
return now() at time zone 'UTC';
create function redshift.interval_of(part text, number bigint) returns interval
language sql immutable strict return case part
    when 'quarter' then make_interval(months => 3 * number::integer)
    when 'week' then make_interval(weeks => number::integer)
    else (number || ' ' || part)::interval
end;
-- Adding months to the last day of a month gives the last day of another.
create function redshift.add_months(value timestamp, months bigint) returns timestamp
language sql immutable strict return case
    when date_part('month', value + interval '1 day') <> date_part('month', value) then
        date_trunc('month', value) + make_interval(months => months::integer + 1)
        - interval '1 day' + value::time
    else value + make_interval(months => months::integer)
end;
create function redshift.dateadd(part text, number bigint, value timestamp) returns timestamp
language sql immutable strict return case
    when part = 'month' then redshift.add_months(value, number)
    when part = 'quarter' then redshift.add_months(value, 3 * number)
    when part = 'year' then redshift.add_months(value, 12 * number)
    else value + redshift.interval_of(part, number)
end;
create function redshift.dateadd(part text, number bigint, value date) returns timestamp
language sql immutable strict return redshift.dateadd(part, number, value::timestamp);
create function redshift.dateadd(part text, number bigint, value timestamptz) returns timestamptz
language sql stable strict
return redshift.dateadd(part, number, value at time zone 'UTC') at time zone 'UTC';
-- The boundaries that lie between both, not the time that passed. Weeks begin on Sunday.
create function redshift.datediff(part text, first timestamp, second timestamp) returns bigint
language sql immutable strict return case part
    when 'year' then date_part('year', second) - date_part('year', first)
    when 'quarter' then
        4 * (date_part('year', second) - date_part('year', first))
        + date_part('quarter', second) - date_part('quarter', first)
    when 'month' then
        12 * (date_part('year', second) - date_part('year', first))
        + date_part('month', second) - date_part('month', first)
    when 'week' then (
        date_trunc('week', second + interval '1 day')::date
        - date_trunc('week', first + interval '1 day')::date
    ) / 7
    when 'day' then second::date - first::date
    when 'hour' then extract(epoch from date_trunc('hour', second) - date_trunc('hour', first)) / 3600
    when 'minute' then
        extract(epoch from date_trunc('minute', second) - date_trunc('minute', first)) / 60
    when 'second' then extract(epoch from date_trunc('second', second) - date_trunc('second', first))
    when 'millisecond' then 1000 * extract(
        epoch from date_trunc('millisecond', second) - date_trunc('millisecond', first)
    )
    when 'microsecond' then 1000000 * extract(epoch from second - first)
end::bigint;
create function redshift.datediff(part text, first timestamptz, second timestamptz) returns bigint
language sql immutable strict
return redshift.datediff(part, first at time zone 'UTC', second at time zone 'UTC');
create function redshift.last_day(value timestamp) returns date language sql immutable strict
return (date_trunc('month', value) + interval '1 month' - interval '1 day')::date;
create function redshift.months_between(later timestamp, earlier timestamp)
returns double precision language plpgsql immutable strict as $$
begin
    raise exception 'the stand-in does not know months_between' using errcode = '0A000';
end
$$;
create function redshift.date_trunc(part text, value timestamp) returns timestamp
language sql immutable strict return pg_catalog.date_trunc(part, value);
create function redshift.date_trunc(part text, value date) returns timestamp
language sql immutable strict return pg_catalog.date_trunc(part, value::timestamp);
create function redshift.date_trunc(part text, value timestamptz) returns timestamptz
language sql immutable strict return pg_catalog.date_trunc(part, value, 'UTC');
create function redshift.convert_timezone(zone text, value timestamp) returns timestamp
language sql immutable strict return (value at time zone 'UTC') at time zone zone;
create function redshift.convert_timezone(source text, target text, value timestamp)
returns timestamp language sql immutable strict
return (value at time zone source) at time zone target;
create function redshift.to_char(value timestamp, format text) returns varchar
language sql stable strict return pg_catalog.to_char(value, format);
create function redshift.to_char(value timestamptz, format text) returns varchar
language sql stable strict return pg_catalog.to_char(value, format);
create function redshift.to_char(value numeric, format text) returns varchar
language sql stable strict return pg_catalog.to_char(value, format);

create function redshift.version() returns varchar language sql immutable
return 'PostgreSQL 8.0.2 on i686-pc-linux-gnu, compiled by GCC gcc (GCC) 3.4.2 20041017 (Red Hat 3.4.2-6.fc3), Redshift 1.0.0 (stand-in)';
