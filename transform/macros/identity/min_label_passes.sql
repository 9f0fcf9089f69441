{# CTEs in which all that is linked, over any number of steps up to `passes`, comes to bear the lowest
   label among it. Reads a CTE or table `links` (identity_id, identifier) and one of labels
   (identity_id, label); the last CTE is `pass_<passes>`, the one before it tells whether it was needed. #}

{% macro min_label_passes(links, labels, passes) -%}
    {%- for number in range(1, passes + 1) %}
    {%- set previous = labels if loop.first else 'pass_' ~ (number - 1) %}
identifiers_{{ number }} as (
    select
        links.identifier,
        min(previous.label) as label
    from {{ links }} as links
    inner join {{ previous }} as previous
        on links.identity_id = previous.identity_id
    group by links.identifier
),

pass_{{ number }} as (
    select
        links.identity_id,
        min(identifiers.label) as label
    from {{ links }} as links
    inner join identifiers_{{ number }} as identifiers
        on links.identifier = identifiers.identifier
    group by links.identity_id
),
    {%- endfor %}
{%- endmacro %}
