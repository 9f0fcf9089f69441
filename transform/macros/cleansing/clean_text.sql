{# Letters that nobody sees go: the second half of the control characters, which the engines' own class
   of them leaves out, soft hyphens, spaces of no width. #}

{% macro clean_text(expression) -%}
    {%- set unseen = namespace(letters='\u00ad\u200b\u200c\u200d\u2060\ufeff') -%}
    {%- for number in range(128, 160) -%}
        {%- set unseen.letters = unseen.letters ~ '%c' % number -%}
    {%- endfor -%}
    {%- set seen = remove_letters(expression, unseen.letters) -%}
    nullif(trim({{ replace_all(seen, '[[:cntrl:][:space:]]+', ' ') }}), '')
{%- endmacro %}
