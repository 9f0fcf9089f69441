{# Compares what was selected with what exists, so that no way to narrow a build goes unseen:
   --select, --exclude, a selector, a resource type, dbt retry. #}

{% macro is_full_build() %}
    {% set args = invocation_args_dict %}
    {% if flags.WHICH != 'build' or args.get('empty') or args.get('sample') %}
        {{ return(false) }}
    {% endif %}
    {% for unique_id, node in graph.nodes.items() %}
        {% if node.resource_type != 'operation' and unique_id not in selected_resources %}
            {{ return(false) }}
        {% endif %}
    {% endfor %}
    {{ return(true) }}
{% endmacro %}
