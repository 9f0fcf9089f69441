{# A query of one row per element: Redshift unnests by naming the array after its table. #}

{% macro unnest_array(relation, id_column, array) -%}
    {{ adapter.dispatch('unnest_array', 'watershed')(relation, id_column, array) }}
{%- endmacro %}

{% macro duckdb__unnest_array(relation, id_column, array) -%}
    select
        {{ relation }}.{{ id_column }},
        elements.position,
        elements.document
    from {{ relation }}
    cross join unnest(json_extract({{ relation }}.{{ array }}, '$[*]'))
        with ordinality as elements (document, position)
{%- endmacro %}

{% macro redshift__unnest_array(relation, id_column, array) -%}
    select
        {{ relation }}.{{ id_column }},
        position + 1 as position,
        document
    from {{ relation }}, {{ relation }}.{{ array }} as document at position
{%- endmacro %}
