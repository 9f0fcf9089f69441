{% test balances_with_raw(model, raw_table, rejects=none, marks_deletes=true) %}

with

raw_rows as (
    select
        count(*) as row_count,
        {% if marks_deletes %} count(_sdc_deleted_at) {% else %} 0 {% endif %} as deleted_count
    from {{ raw_table }}
),

staged_rows as (
    select count(*) as row_count
    from {{ model }}
),

rejected_rows as (
    {% if rejects is none %}
    select 0 as row_count
    {% else %}
    select count(*) as row_count
    from {{ rejects }}
    {% endif %}
)

select
    raw_rows.row_count as raw_row_count,
    raw_rows.deleted_count,
    staged_rows.row_count as staged_row_count,
    rejected_rows.row_count as rejected_row_count
from raw_rows
cross join staged_rows
cross join rejected_rows
where
    raw_rows.row_count
    != staged_rows.row_count + rejected_rows.row_count + raw_rows.deleted_count

{% endtest %}
