{# Only what is written in capitals throughout is changed: elsewhere case may carry meaning. #}

{% macro clean_name(expression) -%}
    {%- set name = clean_text(expression) -%}
    case
        when {{ name }} = upper({{ name }})
            then upper(left({{ name }}, 1)) || lower(substring({{ name }}, 2, length({{ name }})))
        else {{ name }}
    end
{%- endmacro %}
