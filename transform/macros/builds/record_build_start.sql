{# The row says "running" until the end hook has seen every result: a dbt that was killed leaves
   it so, and nobody takes what it built for good. #}

{% macro record_build_start() %}
    {% if is_recorded_command() %}
        insert into ops.builds (build_id, command, is_full, status, started_at, target)
        values (
            '{{ invocation_id }}',
            '{{ flags.WHICH }}',
            {{ is_full_build() | lower }},
            'running',
            cast('{{ run_started_at.isoformat() }}' as timestamptz),
            '{{ target.name }}'
        )
    {% endif %}
{% endmacro %}
