{% macro last_sync_of(source_table) -%}
    select max(committed_at) from ops.bookmarks
    where lower(stream) = '{{ source_table.schema | replace("raw_", "") }}-{{ source_table.identifier }}'
{%- endmacro %}
