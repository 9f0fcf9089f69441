{# `dbt retry` names no selection, it only runs fewer nodes: so what was selected is compared with
   what exists as well. #}

{% macro is_full_build() %}
    {% set narrowing = [
        'select', 'exclude', 'selector', 'resource_types', 'exclude_resource_types', 'empty', 'sample'
    ] %}
    {% set is_full = namespace(value=flags.WHICH == 'build') %}
    {% for argument in narrowing if invocation_args_dict.get(argument) %}
        {% set is_full.value = false %}
    {% endfor %}
    {% for unique_id, node in graph.nodes.items() %}
        {% if node.resource_type != 'operation' and unique_id not in selected_resources %}
            {% set is_full.value = false %}
        {% endif %}
    {% endfor %}
    {{ return(is_full.value) }}
{% endmacro %}
