{# Rows 0 to 9. Redshift makes no series of numbers in a statement that fills a table. #}

{% macro digits() -%}
    {%- for digit in range(10) %}
    select {{ digit }} as digit
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
{%- endmacro %}
