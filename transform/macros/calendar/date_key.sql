{% macro date_key(day) -%}
    coalesce(
        cast(
            extract(year from {{ day }}) * 10000
            + extract(month from {{ day }}) * 100
            + extract(day from {{ day }}) as integer
        ),
        {{ unknown_id() }}
    )
{%- endmacro %}
