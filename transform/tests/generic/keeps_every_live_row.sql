{% test keeps_every_live_row(model, raw_table) %}

with

raw_rows as (
    select count(*) as row_count
    from {{ raw_table }}
    where _sdc_deleted_at is null
),

staged_rows as (
    select count(*) as row_count
    from {{ model }}
)

select
    raw_rows.row_count as raw_row_count,
    staged_rows.row_count as staged_row_count
from raw_rows
cross join staged_rows
where raw_rows.row_count != staged_rows.row_count

{% endtest %}
