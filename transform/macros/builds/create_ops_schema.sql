{% macro create_ops_schema() %}
    {% if is_recorded_command() %}
        create schema if not exists ops
    {% endif %}
{% endmacro %}
