{# Fields whose values differ in type hold canonical Extended JSON: 7 is {"$numberInt":"7"} there. #}

{% macro field_text(column, key=none) -%}
    {%- set document = as_json(column) -%}
    {%- set text = json_scalar(document) if key is none else json_text(document, key) -%}
    case
        when {{ text }} like '{"$%":"%"}' then split_part({{ text }}, '"', 4)
        else {{ text }}
    end
{%- endmacro %}
