{# The first word, or the first one after a comma; without accents, which not every form takes. The
   words left out are those of people who give no name. #}

{% macro given_name(full_name) -%}
    {%- set name -%}
        lower(
            case
                when {{ full_name }} like '%,%' then ltrim(split_part({{ full_name }}, ',', 2))
                else {{ full_name }}
            end
        )
    {%- endset -%}
    {%- set folds = {'ä': 'ae', 'ö': 'oe', 'ü': 'ue', 'ß': 'ss'} -%}
    {%- set folded = namespace(text="split_part(" ~ name ~ ", ' ', 1)") -%}
    {%- for letter, letters in folds.items() -%}
        {%- set folded.text = "replace(" ~ folded.text ~ ", '" ~ letter ~ "', '" ~ letters ~ "')" -%}
    {%- endfor -%}
    case
        when {{ name }} not in ('anonym', 'anonymous', 'unknown', 'n/a', '-', '') then translate(
            {{ folded.text }},
            'áàâãåąçćčéèêëęíìîïıłñńóòôõøśşšúùûýźżž',
            'aaaaaaccceeeeeiiiiilnnooooosssuuuyzzz'
        )
    end
{%- endmacro %}
