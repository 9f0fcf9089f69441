{# CTEs in which all that is linked, over up to `passes` steps, takes the lowest rank among it. Reads
   CTEs `links` (identity_id, identifier) and `labels` (identity_id, lowest_rank). The last one is
   pass_<passes>; if it changed anything after the one before it, there were too few. #}

{% macro min_label_passes(links, labels, passes) -%}
    {%- for number in range(1, passes + 1) %}
    {%- set previous = labels if loop.first else 'pass_' ~ (number - 1) %}
identifiers_{{ number }} as (
    select
        links.identifier,
        min(previous.lowest_rank) as lowest_rank
    from {{ links }} as links
    inner join {{ previous }} as previous
        on links.identity_id = previous.identity_id
    group by links.identifier
),

pass_{{ number }} as (
    select
        links.identity_id,
        min(identifiers.lowest_rank) as lowest_rank
    from {{ links }} as links
    inner join identifiers_{{ number }} as identifiers
        on links.identifier = identifiers.identifier
    group by links.identity_id
),
    {%- endfor %}
{%- endmacro %}
