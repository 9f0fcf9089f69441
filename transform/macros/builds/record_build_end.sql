{# Green is what is known to be good: a status this macro does not know makes the build red. #}

{% macro record_build_end(results) %}
    {% if is_recorded_command() %}
        {% set counts = namespace(models=0, tests=0, failures=0) %}
        {% for result in results %}
            {% if result.node.resource_type in ['test', 'unit_test'] %}
                {% set counts.tests = counts.tests + 1 %}
            {% elif result.node.resource_type in ['model', 'seed', 'snapshot'] %}
                {% set counts.models = counts.models + 1 %}
            {% endif %}
            {% if result.status not in ['success', 'pass', 'warn', 'no-op'] %}
                {% set counts.failures = counts.failures + 1 %}
            {% endif %}
        {% endfor %}
        {% set finished_at = modules.datetime.datetime.now(modules.pytz.utc) %}
        update ops.builds
        set
            status = '{{ "red" if counts.failures else "green" }}',
            finished_at = cast('{{ finished_at.isoformat() }}' as timestamptz),
            models = {{ counts.models }},
            tests = {{ counts.tests }},
            failures = {{ counts.failures }}
        where build_id = '{{ invocation_id }}'
    {% endif %}
{% endmacro %}
