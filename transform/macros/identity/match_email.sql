{# What stands after a plus is the owner's note to themselves. #}

{% macro match_email(email) -%}
    {{ replace_all(email, '[+][^@]*@', '@') }}
{%- endmacro %}
