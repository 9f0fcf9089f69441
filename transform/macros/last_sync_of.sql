{% macro last_sync_of(source_table) -%}
    select max(committed_at) from ops.bookmarks
    where lower(stream) = 'shop-{{ source_table.identifier }}'
{%- endmacro %}
