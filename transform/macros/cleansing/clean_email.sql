{# The words are what people enter where an address is asked for and they have or give none; the last
   part of an address is none where it is kept for tests. #}

{% macro clean_email(expression) -%}
    {%- set email = 'lower(' ~ replace_all(expression, '[[:cntrl:][:space:]]+', '') ~ ')' -%}
    case
        when
            {{ email }} like '_%@_%.__%'
            and {{ email }} not like '%.invalid'
            and {{ email }} not like '%.test'
            and split_part({{ email }}, '@', 1) not in (
                'keine', 'na', 'no', 'no-reply', 'nobody', 'none', 'noreply', 'null', 'test', 'unknown'
            )
            then {{ email }}
    end
{%- endmacro %}
