{# What is built in schemas of its own is nobody's next publication. #}

{% macro is_recorded_command() %}
    {{ return(
        execute
        and flags.WHICH in ['build', 'run', 'seed', 'snapshot', 'test']
        and not env_var('WATERSHED_SCHEMA_PREFIX', '')
    ) }}
{% endmacro %}
