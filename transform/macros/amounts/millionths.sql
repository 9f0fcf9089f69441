{% macro millionths(amount) -%}
    cast(cast({{ amount }} as numeric(18, 6)) * 1000000 as numeric(24, 0))
{%- endmacro %}
