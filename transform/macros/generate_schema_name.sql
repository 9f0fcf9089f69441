{# The prefix is for what an analyst changed: it is built beside the schemas that all read. #}

{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ env_var('WATERSHED_SCHEMA_PREFIX', '') ~ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
