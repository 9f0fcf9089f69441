{# A list is an array, or a text with commas. #}

{% macro list_length(column) -%}
    case
        when {{ field_text(column) }} is null then 0
        when {{ field_text(column) }} like '[%' then {{ json_length(as_json(column)) }}
        else length({{ replace_all(field_text(column), '[^,]', '') }}) + 1
    end
{%- endmacro %}
