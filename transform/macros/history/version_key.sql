{% macro version_key(id, version_number) -%}
    {{ hash_number(
        'cast(' ~ id ~ " as varchar(32)) || ':' || cast(" ~ version_number ~ ' as varchar(32))'
    ) }}
{%- endmacro %}
