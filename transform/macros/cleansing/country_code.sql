{# What people typed for a country, lower-cased, for each ISO 3166-1 code. A text that is missing here
   becomes null, and the tests of the staging models name it. #}

{% macro country_code(expression) -%}
    {%- set names = {
        'AT': ['at', 'austria', 'österreich'],
        'CH': ['ch', 'switzerland', 'schweiz'],
        'DE': ['de', 'ger', 'germany', 'deutschland'],
        'FR': ['fr', 'france', 'frankreich'],
        'NL': ['nl', 'netherlands', 'the netherlands', 'niederlande'],
        'PL': ['pl', 'poland', 'polen', 'polska'],
    } -%}
    case lower({{ clean_text(expression) }})
        {%- for code, spellings in names.items() %}
        {%- for spelling in spellings %}
        when '{{ spelling }}' then '{{ code }}'
        {%- endfor %}
        {%- endfor %}
    end
{%- endmacro %}
