{% macro clean_text(expression) -%}
    nullif(trim({{ replace_all(expression, '[[:space:]]+', ' ') }}), '')
{%- endmacro %}
