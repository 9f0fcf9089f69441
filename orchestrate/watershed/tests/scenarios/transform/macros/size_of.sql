{% macro size_of(amount) %}
    case when {{ amount }} < 500 then 'small' else 'large' end
{% endmacro %}
