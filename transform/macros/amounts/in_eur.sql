{# Null where there is no rate: never one to one. #}

{% macro in_eur(amount, currency, rate) -%}
    cast(
        case when {{ currency }} = 'EUR' then {{ amount }} else {{ amount }} * {{ rate }} end
        as numeric(18, 6)
    )
{%- endmacro %}
