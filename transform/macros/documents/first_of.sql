{% macro first_of(one, other) -%}
    coalesce({{ one }}, {{ other }})
{%- endmacro %}
