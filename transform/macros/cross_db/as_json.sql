{# A field of documents is a JSON column, or one of the type that all its values have. #}

{% macro as_json(value) -%}
    {{ adapter.dispatch('as_json', 'watershed')(value) }}
{%- endmacro %}

{% macro duckdb__as_json(value) -%}
    to_json({{ value }})
{%- endmacro %}

{% macro redshift__as_json(value) -%}
    cast({{ value }} as super)
{%- endmacro %}
