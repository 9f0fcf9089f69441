{{ config(dist='auto', sort=['committed_at']) }}

with

loads as (
    select * from {{ ref('stg_ops__loads') }}
),

final as (
    select
        load_id,
        run_id,
        state_id,
        stream_name,
        target_schema,
        table_name,
        cast(ordinal as bigint) as ordinal,
        cast(rows_inserted as bigint) as rows_inserted,
        cast(rows_updated as bigint) as rows_updated,
        cast(rows_unchanged as bigint) as rows_unchanged,
        cast(rows_deleted as bigint) as rows_deleted,
        cast(rows_quarantined as bigint) as rows_quarantined,
        cast(rows_inserted + rows_updated + rows_deleted as bigint) as rows_changed,
        cast(loaded_bytes as bigint) as loaded_bytes,
        cast(duration_seconds as double precision) as duration_seconds,
        cast(committed_at as timestamptz) as committed_at
    from loads
)

select * from final
