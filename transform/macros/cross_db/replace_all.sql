{# DuckDB replaces the first match unless told otherwise, Redshift always replaces all. #}

{% macro replace_all(expression, pattern, replacement) -%}
    {{ adapter.dispatch('replace_all', 'watershed')(expression, pattern, replacement) }}
{%- endmacro %}

{% macro duckdb__replace_all(expression, pattern, replacement) -%}
    regexp_replace({{ expression }}, '{{ pattern }}', '{{ replacement }}', 'g')
{%- endmacro %}

{% macro redshift__replace_all(expression, pattern, replacement) -%}
    regexp_replace({{ expression }}, '{{ pattern }}', '{{ replacement }}')
{%- endmacro %}
