{% macro fiscal_month(month) -%}
    mod({{ month }} + 12 - {{ var('fiscal_year_first_month') | int }}, 12) + 1
{%- endmacro %}
