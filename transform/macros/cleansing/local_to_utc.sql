{% macro local_to_utc(expression) -%}
    {{ expression }} at time zone '{{ var("business_time_zone") }}'
{%- endmacro %}
