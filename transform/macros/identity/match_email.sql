{# What stands after a plus is the owner's note to themselves. The words are what people enter where
   an address is asked for and they have or give none. #}

{% macro match_email(email) -%}
    case
        when
            {{ email }} like '_%@_%.__%'
            and split_part({{ email }}, '@', 1) not in (
                'keine', 'na', 'no', 'no-reply', 'nobody', 'none', 'noreply', 'null', 'test', 'unknown'
            )
            then {{ replace_all(email, '[+][^@]*@', '@') }}
    end
{%- endmacro %}
