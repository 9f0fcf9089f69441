{# Text that is no number, NaN and infinities are null: no decimal holds them. #}

{% macro field_number(text, precision, scale) -%}
    cast(
        case
            when {{ replace_all(text, '^[+-]?[0-9]+([.][0-9]+)?(E[+-]?[0-9]+)?$', '') }} = ''
                then {{ text }}
        end as numeric({{ precision }}, {{ scale }})
    )
{%- endmacro %}
