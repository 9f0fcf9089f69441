{% test sums_to_one(model, column_name, group_column) %}

select
    {{ group_column }},
    sum({{ column_name }}) as total
from {{ model }}
group by {{ group_column }}
having sum({{ column_name }}) != 1

{% endtest %}
