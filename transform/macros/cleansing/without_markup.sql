{# The names of letters are read first, so that no tag can hide in them. #}

{% macro without_markup(expression) -%}
    {%- set names = {'&nbsp;': ' ', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "''", '&amp;': '&'} -%}
    {%- set read = namespace(text=expression) -%}
    {%- for name, letter in names.items() -%}
        {%- set read.text = "replace(" ~ read.text ~ ", '" ~ name ~ "', '" ~ letter ~ "')" -%}
    {%- endfor -%}
    {{ replace_all(read.text, '</?[A-Za-z][^<>]*>', ' ') }}
{%- endmacro %}
