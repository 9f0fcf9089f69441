{# Without accents, which not every form takes. #}

{% macro folded(text) -%}
    {%- set folds = {'ä': 'ae', 'ö': 'oe', 'ü': 'ue', 'ß': 'ss'} -%}
    {%- set folded = namespace(text='lower(' ~ text ~ ')') -%}
    {%- for letter, letters in folds.items() -%}
        {%- set folded.text = "replace(" ~ folded.text ~ ", '" ~ letter ~ "', '" ~ letters ~ "')" -%}
    {%- endfor -%}
    translate(
        {{ folded.text }},
        'áàâãåąçćčéèêëęíìîïıłñńóòôõøśşšúùûýźżž',
        'aaaaaaccceeeeeiiiiilnnooooosssuuuyzzz'
    )
{%- endmacro %}
