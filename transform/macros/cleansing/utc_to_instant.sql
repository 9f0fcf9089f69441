{% macro utc_to_instant(expression) -%}
    {{ expression }} at time zone 'UTC'
{%- endmacro %}
