{# Before an incremental model adds rows: takes out what was made of a row that is gone, or was loaded
   again since. #}

{% macro delete_outdated(current, key) -%}
    {% if is_incremental() %}
        delete from {{ this }}
        where not exists (
            select 1
            from {{ current }} as latest
            where
                latest.{{ key }} = {{ this.identifier }}.{{ key }}
                and latest.loaded_at = {{ this.identifier }}.loaded_at
        )
    {% endif %}
{%- endmacro %}
