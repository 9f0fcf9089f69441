{# In the place of dbt-redshift's own, which wants no null in the first row, else a column's type is in
   doubt; here every value is cast. #}

{% macro redshift__validate_fixture_rows(rows, row_number) -%}
{%- endmacro %}
