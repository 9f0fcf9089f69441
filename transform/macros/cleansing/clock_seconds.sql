{# MySQL's time reaches from -838:59:59 to 838:59:59, so it travels as text. #}

{% macro clock_seconds(expression) -%}
    cast(
        case when {{ expression }} like '-%' then -1 else 1 end * (
            cast(split_part(replace({{ expression }}, '-', ''), ':', 1) as numeric(12, 6)) * 3600
            + cast(split_part({{ expression }}, ':', 2) as numeric(12, 6)) * 60
            + cast(split_part({{ expression }}, ':', 3) as numeric(12, 6))
        ) as numeric(12, 3)
    )
{%- endmacro %}
