{# Desks know agents by name; numbers of documents are not the desk's own. #}

{% macro agent_key(agent_name) -%}
    case
        when {{ agent_name }} is null then {{ unknown_id() }}
        else {{ hash_number('lower(' ~ agent_name ~ ')') }}
    end
{%- endmacro %}
