{# Engines round a quotient of decimals each in a way of its own, hence whole numbers. #}

{% macro ratio(part, whole) -%}
    cast(
        case
            when {{ whole }} != 0
                then
                    {{ whole_quotient(millionths(part) ~ ' * 1000000', millionths(whole)) }}
                    * cast(0.000001 as numeric(7, 6))
        end as numeric(18, 6)
    )
{%- endmacro %}
