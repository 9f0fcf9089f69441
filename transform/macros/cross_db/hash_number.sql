{# 52 bits of a hash: such a number stays exact in programs whose only numbers are doubles. #}

{% macro hash_number(text) -%}
    {{ adapter.dispatch('hash_number', 'watershed')(text) }}
{%- endmacro %}

{% macro duckdb__hash_number(text) -%}
    cast('0x' || left(md5({{ text }}), 13) as bigint)
{%- endmacro %}

{% macro redshift__hash_number(text) -%}
    strtol(left(md5({{ text }}), 13), 16)
{%- endmacro %}
