{% macro create_builds_table() %}
    {% if is_recorded_command() %}
        create table if not exists ops.builds (
            build_id varchar(36) not null,
            command varchar(16) not null,
            is_full boolean not null,
            status varchar(16) not null,
            started_at timestamptz not null,
            finished_at timestamptz,
            models bigint,
            tests bigint,
            failures bigint,
            target varchar(64) not null
        )
    {% endif %}
{% endmacro %}
