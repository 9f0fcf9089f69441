{# E.164. The calling code and the trunk prefix, which is left out behind it, of each country; a
   number that names no country is of the one given, else of the company's own. #}

{% macro clean_phone(digits, country) -%}
    {%- set plans = {
        'AT': ('43', '0'),
        'CH': ('41', '0'),
        'DE': ('49', '0'),
        'FR': ('33', '0'),
        'NL': ('31', '0'),
        'PL': ('48', ''),
    } -%}
    case
        {%- for code, trunk in plans.values() if trunk %}
        when {{ digits }} like '+{{ code }}{{ trunk }}_______%'
            then '+{{ code }}' || substring({{ digits }}, {{ 2 + code | length + trunk | length }}, 15)
        {%- endfor %}
        when {{ digits }} like '+________%' and length({{ digits }}) <= 16 then {{ digits }}
        {%- for name, (code, trunk) in plans.items() %}
        when
            coalesce({{ country }}, '{{ var("home_country") }}') = '{{ name }}'
            and {{ digits }} like '{{ trunk }}_______%'
            and {{ digits }} not like '{{ trunk }}0%'
            then '+{{ code }}' || substring({{ digits }}, {{ 1 + trunk | length }}, 13)
        {%- endfor %}
    end
{%- endmacro %}
