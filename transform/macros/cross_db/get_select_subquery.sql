{# In the place of dbt's own, by which a mart's rows are inserted. Redshift sorts a table by its sort
   key; here the rows come sorted, so that a row group holds a narrow range of it. #}

{% macro get_select_subquery(sql) -%}
    {{ adapter.dispatch('get_select_subquery', 'watershed')(sql) }}
{%- endmacro %}

{% macro duckdb__get_select_subquery(sql) -%}
    {{ default__get_select_subquery(sql) }}
    {% if config.get('sort') -%}
        order by {{ config.get('sort') | join(', ') }}
    {%- endif %}
{%- endmacro %}

{% macro redshift__get_select_subquery(sql) -%}
    {{ default__get_select_subquery(sql) }}
{%- endmacro %}
