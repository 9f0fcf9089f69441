{# Exact, also for numbers beyond 2^53: DuckDB divides decimals as doubles. #}

{% macro whole_quotient(dividend, divisor) -%}
    {{ adapter.dispatch('whole_quotient', 'watershed')(dividend, divisor) }}
{%- endmacro %}

{% macro duckdb__whole_quotient(dividend, divisor) -%}
    cast(cast({{ dividend }} as hugeint) // cast({{ divisor }} as hugeint) as numeric(30, 0))
{%- endmacro %}

{% macro redshift__whole_quotient(dividend, divisor) -%}
    cast(
        (
            cast({{ dividend }} as numeric(38, 0))
            - mod(cast({{ dividend }} as numeric(38, 0)), cast({{ divisor }} as numeric(38, 0)))
        ) / cast({{ divisor }} as numeric(38, 0)) as numeric(30, 0)
    )
{%- endmacro %}
