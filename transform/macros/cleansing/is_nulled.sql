{% macro is_nulled(entered, cleansed) -%}
    ({{ clean_text(entered) }} is not null and {{ cleansed }} is null)
{%- endmacro %}
