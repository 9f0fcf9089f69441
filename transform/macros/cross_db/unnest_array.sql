{# A query of one row per element: Redshift unnests by naming the array after its table. #}

{% macro unnest_array(relation, columns, array) -%}
    {{ adapter.dispatch('unnest_array', 'watershed')(relation, columns, array) }}
{%- endmacro %}

{% macro duckdb__unnest_array(relation, columns, array) -%}
    select
        {% for column in columns %}{{ relation }}.{{ column }},
        {% endfor %}elements.position,
        elements.document
    from {{ relation }}
    cross join unnest(json_extract({{ relation }}.{{ array }}, '$[*]'))
        with ordinality as elements (document, position)
{%- endmacro %}

{% macro redshift__unnest_array(relation, columns, array) -%}
    select
        {% for column in columns %}{{ relation }}.{{ column }},
        {% endfor %}position + 1 as position,
        document
    from {{ relation }}, {{ relation }}.{{ array }} as document at position
{%- endmacro %}
