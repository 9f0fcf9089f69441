{# In the place of dbt's own, whose time has no zone, where those of the sources have one. #}

{% macro snapshot_get_time() -%}
    {{ adapter.dispatch('snapshot_get_time', 'watershed')() }}
{%- endmacro %}

{% macro duckdb__snapshot_get_time() -%}
    now()
{%- endmacro %}

{% macro redshift__snapshot_get_time() -%}
    cast(getdate() as timestamptz)
{%- endmacro %}
