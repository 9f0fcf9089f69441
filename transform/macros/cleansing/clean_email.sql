{% macro clean_email(expression) -%}
    nullif(lower({{ replace_all(expression, '[[:space:]]+', '') }}), '')
{%- endmacro %}
