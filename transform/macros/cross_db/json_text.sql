{# Redshift navigates SUPER by alias only, so the document is read as text. #}

{% macro json_text(document, key) -%}
    {{ adapter.dispatch('json_text', 'watershed')(document, key) }}
{%- endmacro %}

{% macro duckdb__json_text(document, key) -%}
    json_extract_string({{ document }}, '$."{{ key }}"')
{%- endmacro %}

{% macro redshift__json_text(document, key) -%}
    nullif(json_extract_path_text(json_serialize({{ document }}), '{{ key }}', true), '')
{%- endmacro %}
