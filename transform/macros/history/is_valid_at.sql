{# What has no time of its own meets the current version. #}

{% macro is_valid_at(versions, instant) -%}
    coalesce({{ instant }}, {{ versions }}.valid_from) >= {{ versions }}.valid_from
    and coalesce({{ instant }} < {{ versions }}.valid_to, {{ versions }}.is_current)
{%- endmacro %}
