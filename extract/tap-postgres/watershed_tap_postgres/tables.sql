-- One row per column that this role may read, of every table, view and materialized view.
-- A domain is resolved to the type it is made of, with that type's modifier (precision and scale).
with recursive domains (domain_type, base_type, modifier) as (
    select oid, typbasetype, typtypmod
    from pg_catalog.pg_type
    where typtype = 'd'
    union all
    select
        domains.domain_type,
        inner_domain.typbasetype,
        case when domains.modifier = -1 then inner_domain.typtypmod else domains.modifier end
    from domains
    join pg_catalog.pg_type as inner_domain
        on domains.base_type = inner_domain.oid and inner_domain.typtype = 'd'
),

readable_columns as (
    select
        namespace.nspname::text as schema_name,
        relation.relname::text as table_name,
        relation.oid as table_id,
        relation.relkind in ('v', 'm') as is_view,
        -- Before the first ANALYZE, what has values out of line is taken to have long ones.
        case
            when relation.reltuples > 0
                then (pg_catalog.pg_table_size(relation.oid) / relation.reltuples)::bigint
            when pg_catalog.pg_relation_size(nullif(relation.reltoastrelid, 0)) > 0 then 1048576
            else 0
        end as row_bytes,
        attribute.attname::text as column_name,
        attribute.attnum as column_number,
        coalesce(domains.base_type, attribute.atttypid) as base_type,
        coalesce(domains.modifier, attribute.atttypmod) as modifier,
        pg_catalog.format_type(attribute.atttypid, attribute.atttypmod) as declared_type
    from pg_catalog.pg_class as relation
    join pg_catalog.pg_namespace as namespace on relation.relnamespace = namespace.oid
    join pg_catalog.pg_attribute as attribute
        on relation.oid = attribute.attrelid and attribute.attnum > 0 and not attribute.attisdropped
    left join domains
        on attribute.atttypid = domains.domain_type
        and not exists (
            select from pg_catalog.pg_type
            where pg_type.oid = domains.base_type and pg_type.typtype = 'd'
        )
    where relation.relkind in ('r', 'p', 'v', 'm', 'f')
        and not relation.relispartition
        and (namespace.nspname = any(%(schemas)s) or (
            %(schemas)s = '{}'
            and namespace.nspname <> 'information_schema'
            and namespace.nspname !~ '^pg_'
        ))
        and pg_catalog.has_schema_privilege(namespace.oid, 'usage')
        and pg_catalog.has_column_privilege(relation.oid, attribute.attnum, 'select')
),

-- The primary key or else the smallest unique key whose columns are never null.
keys as (
    select distinct on (pg_index.indrelid)
        pg_index.indrelid as table_id,
        (pg_index.indkey::smallint[])[0:pg_index.indnkeyatts - 1] as column_numbers
    from pg_catalog.pg_index
    where pg_index.indisunique
        and pg_index.indisvalid
        and pg_index.indimmediate
        and pg_index.indpred is null
        and pg_index.indexprs is null
        and not exists (
            select from pg_catalog.pg_attribute
            where pg_attribute.attrelid = pg_index.indrelid
                and pg_attribute.attnum = any(pg_index.indkey)
                and not pg_attribute.attnotnull
        )
    order by
        pg_index.indrelid,
        pg_index.indisprimary desc,
        pg_index.indnkeyatts,
        pg_index.indexrelid
)

select
    readable_columns.schema_name,
    readable_columns.table_name,
    readable_columns.is_view,
    readable_columns.row_bytes,
    readable_columns.column_name,
    readable_columns.declared_type,
    case when type_namespace.nspname = 'pg_catalog' then base_type.typname::text end as builtin_type,
    base_type.typcategory = 'A' as is_array,
    readable_columns.modifier,
    pg_catalog.array_position(keys.column_numbers, readable_columns.column_number) as key_position,
    pg_catalog.cardinality(keys.column_numbers) as key_size,
    -- How far the order on disk follows that of the column's values; NULL before any ANALYZE.
    pg_stats.correlation,
    exists (
        select from pg_catalog.pg_index
        join pg_catalog.pg_class as index_relation on pg_index.indexrelid = index_relation.oid
        join pg_catalog.pg_am on index_relation.relam = pg_am.oid
        where pg_index.indrelid = readable_columns.table_id
            and pg_index.indkey[0] = readable_columns.column_number
            and pg_index.indisvalid
            and pg_index.indpred is null
            and pg_am.amname = 'btree'
    ) as leads_an_index
from readable_columns
join pg_catalog.pg_type as base_type on readable_columns.base_type = base_type.oid
join pg_catalog.pg_namespace as type_namespace on base_type.typnamespace = type_namespace.oid
left join keys on readable_columns.table_id = keys.table_id
left join pg_catalog.pg_stats
    on readable_columns.schema_name = pg_stats.schemaname
    and readable_columns.table_name = pg_stats.tablename
    and readable_columns.column_name = pg_stats.attname
    and not pg_stats.inherited
    and pg_catalog.array_position(keys.column_numbers, readable_columns.column_number) = 1
order by
    readable_columns.schema_name,
    readable_columns.table_name,
    readable_columns.column_number
