{% macro phone_digits(expression) -%}
    nullif({{ replace_all(replace_all(expression, '[^0-9+]', ''), '^00', '+') }}, '')
{%- endmacro %}
