{% macro last_instant() -%}
    cast('9999-12-31 00:00:00+00' as timestamptz)
{%- endmacro %}
