{% macro first_instant() -%}
    cast('1900-01-01 00:00:00+00' as timestamptz)
{%- endmacro %}
