{% macro unknown_id() -%}
    -1
{%- endmacro %}
