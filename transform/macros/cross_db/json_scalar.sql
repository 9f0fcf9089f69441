{# Redshift reads text by a key only, so the value is given one. #}

{% macro json_scalar(document) -%}
    {{ adapter.dispatch('json_scalar', 'watershed')(document) }}
{%- endmacro %}

{% macro duckdb__json_scalar(document) -%}
    json_extract_string({{ document }}, '$')
{%- endmacro %}

{% macro redshift__json_scalar(document) -%}
    nullif(json_extract_path_text('{"value":' || json_serialize({{ document }}) || '}', 'value', true), '')
{%- endmacro %}
