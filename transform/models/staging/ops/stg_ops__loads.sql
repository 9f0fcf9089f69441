with

source as (
    select *
    from {{ source('ops', 'loads') }}
),

renamed as (
    select
        -- ids
        load_id,
        run_id,
        state_id,

        -- text
        target_schema,
        stream as stream_name,
        table_name,
        bookmark_before,
        bookmark_after,

        -- numerics
        ordinal,
        table_version,
        rows_inserted,
        rows_updated,
        rows_unchanged,
        rows_deleted,
        rows_quarantined,
        bytes as loaded_bytes,
        seconds as duration_seconds,

        -- timestamps
        committed_at
    from source
)

select * from renamed
