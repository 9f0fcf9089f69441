{% macro this_moment() -%}
    {{ adapter.dispatch('this_moment', 'watershed')() }}
{%- endmacro %}

{% macro duckdb__this_moment() -%}
    now()
{%- endmacro %}

{% macro redshift__this_moment() -%}
    getdate()
{%- endmacro %}
