{% macro is_recorded_command() %}
    {{ return(execute and flags.WHICH in ['build', 'run', 'seed', 'snapshot', 'test']) }}
{% endmacro %}
