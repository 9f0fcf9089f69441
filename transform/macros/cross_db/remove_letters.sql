{# DuckDB's translate takes ten times as long as its regular expressions; what Redshift's do with
   letters of several bytes nobody promises. #}

{% macro remove_letters(expression, letters) -%}
    {{ adapter.dispatch('remove_letters', 'watershed')(expression, letters) }}
{%- endmacro %}

{% macro duckdb__remove_letters(expression, letters) -%}
    regexp_replace({{ expression }}, '[{{ letters }}]', '', 'g')
{%- endmacro %}

{% macro redshift__remove_letters(expression, letters) -%}
    translate({{ expression }}, '{{ letters }}', '')
{%- endmacro %}
