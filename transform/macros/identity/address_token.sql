{# A street has several ways to be one; what is neither letter nor digit counts in none of them. #}

{% macro address_token(postal_code, street) -%}
    {{ postal_code }} || ' ' || {{ replace_all(
        "replace(" ~ folded(street) ~ ", 'strasse', 'str')", '[^a-z0-9]+', ''
    ) }}
{%- endmacro %}
