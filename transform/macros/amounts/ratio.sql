{# Engines round a quotient of decimals each in a way of its own, hence whole numbers. #}

{% macro ratio(part, whole) -%}
    case
        when {{ whole }} != 0
            then cast(
                {{ whole_quotient(millionths(part) ~ ' * 1000000', millionths(whole)) }}
                * cast(0.000001 as numeric(7, 6)) as numeric(18, 6)
            )
    end
{%- endmacro %}
