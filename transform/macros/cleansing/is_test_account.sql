{# RFC 2606 keeps .test and .invalid for such addresses. #}

{% macro is_test_account(email, full_name) -%}
    {%- set address = 'lower(' ~ replace_all(email, '[[:cntrl:][:space:]]+', '') ~ ')' -%}
    {%- set user = replace_all("split_part(" ~ address ~ ", '@', 1)", '[0-9]*([+].*)?$', '') -%}
    (
        coalesce({{ address }} like '%@%.test' or {{ address }} like '%@%.invalid', false)
        or coalesce({{ address }} like '%@%' and {{ user }} in ('test', 'tester'), false)
        or coalesce(lower({{ clean_text(full_name) }}) in ('test', 'test test', 'test account'), false)
    )
{%- endmacro %}
