{% test has_every_month(model, group_column, month_column) %}

with

ordered as (
    select
        {{ group_column }},
        {{ month_column }},
        lag({{ month_column }}) over (
            partition by {{ group_column }} order by {{ month_column }}
        ) as month_before
    from {{ model }}
)

select *
from ordered
where
    {{ month_column }} != {{ month_start(month_column) }}
    or {{ month_start('month_before + 31') }} != {{ month_column }}

{% endtest %}
