{% macro seconds_between(start, finish) -%}
    extract(epoch from {{ finish }}) - extract(epoch from {{ start }})
{%- endmacro %}
