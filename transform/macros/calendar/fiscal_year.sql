{% macro fiscal_year(year, month) -%}
    {%- set first_month = var('fiscal_year_first_month') | int -%}
    {{ year }}
    {%- if first_month > 1 %} + case when {{ month }} >= {{ first_month }} then 1 else 0 end{% endif %}
{%- endmacro %}
