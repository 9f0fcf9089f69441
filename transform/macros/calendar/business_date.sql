{% macro business_date(instant) -%}
    cast({{ instant }} at time zone '{{ var("business_time_zone") }}' as date)
{%- endmacro %}
