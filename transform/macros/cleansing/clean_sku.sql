{% macro clean_sku(expression) -%}
    upper({{ replace_all(expression, '[^A-Za-z0-9]', '') }})
{%- endmacro %}
