{# What people typed for a currency, lower-cased, for each ISO 4217 code. A text that is missing here
   becomes null, and the tests of the staging models name it. #}

{% macro currency_code(expression) -%}
    {%- set names = {
        'CHF': ['chf', 'sfr', 'franken'],
        'EUR': ['eur', 'euro', '€'],
        'GBP': ['gbp', '£'],
        'PLN': ['pln', 'zł'],
        'USD': ['usd', '$'],
    } -%}
    case lower({{ clean_text(expression) }})
        {%- for code, spellings in names.items() %}
        {%- for spelling in spellings %}
        when '{{ spelling }}' then '{{ code }}'
        {%- endfor %}
        {%- endfor %}
    end
{%- endmacro %}
