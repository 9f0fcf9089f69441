{# The last seven days of a fact against the mean of the weeks before. `judged_from` is the mean below
   which chance decides, and nothing is said. #}

{% test volume_within_trailing_weeks(
    model, column_name, weeks=8, least=0.25, most=5, judged_from=20
) %}

with

latest as (
    {{ latest_fact_day() }}
),

counted as (
    select
        coalesce(sum(case when dates.date_day > latest.date_day - 7 then 1 else 0 end), 0)
            as last_week,
        coalesce(sum(case when dates.date_day <= latest.date_day - 7 then 1 else 0 end), 0)
        / cast({{ weeks }} as numeric(9, 2)) as mean_week
    from {{ model }} as facts
    inner join {{ ref('dim_dates') }} as dates
        on facts.{{ column_name }} = dates.date_key
    cross join latest
    where
        dates.date_day > latest.date_day - 7 * {{ weeks + 1 }}
        and dates.date_day <= latest.date_day
)

select
    last_week,
    mean_week
from counted
where
    mean_week >= {{ judged_from }}
    and (last_week < {{ least }} * mean_week or last_week > {{ most }} * mean_week)

{% endtest %}
