{# The first word, or the first one after a comma. The words left out are those of people who give no
   name. #}

{% macro given_name(full_name) -%}
    {%- set name -%}
        lower(
            case
                when {{ full_name }} like '%,%' then ltrim(split_part({{ full_name }}, ',', 2))
                else {{ full_name }}
            end
        )
    {%- endset -%}
    case
        when {{ name }} not in ('anonym', 'anonymous', 'unknown', 'n/a', '-', '')
            then {{ folded("split_part(" ~ name ~ ", ' ', 1)") }}
    end
{%- endmacro %}
