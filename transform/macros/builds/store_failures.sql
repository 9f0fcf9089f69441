{# The rows that made a test fail, until it passes. dbt's own `store_failures` makes a table for each
   test of each build, failed or not: with hundreds of tests, most of a build's time. #}

{% macro store_failures(results) %}
    {% if is_recorded_command() %}
        {% set schema = 'test_failures' %}
        {% set stored = run_query(
            "select table_name from information_schema.tables where table_schema = '" ~ schema ~ "'"
        ).columns[0].values() %}
        {% for result in results if result.node.resource_type == 'test' %}
            {% set table = schema ~ '.' ~ adapter.quote(result.node.alias) %}
            {% if result.node.alias in stored and result.status in ['pass', 'fail', 'warn'] %}
                {% do run_query('drop table ' ~ table) %}
            {% endif %}
            {% if result.status in ['fail', 'warn'] %}
                {% do run_query('create schema if not exists ' ~ schema) %}
                {% do run_query('create table ' ~ table ~ ' as ' ~ result.node.compiled_code) %}
            {% endif %}
        {% endfor %}
    {% endif %}
{% endmacro %}
