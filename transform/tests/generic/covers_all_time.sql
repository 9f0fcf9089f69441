{% test covers_all_time(model, member) %}

with

neighbours as (
    select
        {{ member }} as member,
        valid_from,
        valid_to,
        is_current,
        lag(valid_to) over (partition by {{ member }} order by valid_from, valid_to) as ended_at,
        lead(valid_from) over (partition by {{ member }} order by valid_from, valid_to) as next_at
    from {{ model }}
)

select *
from neighbours
where
    not coalesce(valid_from < valid_to, false)
    or coalesce(ended_at, {{ first_instant() }}) != valid_from
    or coalesce(next_at, {{ last_instant() }}) != valid_to
    or coalesce(is_current, next_at is not null) != (next_at is null)

{% endtest %}
