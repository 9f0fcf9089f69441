{% macro json_length(array) -%}
    {{ adapter.dispatch('json_length', 'watershed')(array) }}
{%- endmacro %}

{% macro duckdb__json_length(array) -%}
    coalesce(json_array_length({{ array }}), 0)
{%- endmacro %}

{% macro redshift__json_length(array) -%}
    coalesce(get_array_length({{ array }}), 0)
{%- endmacro %}
