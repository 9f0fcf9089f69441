{# The clock of the data: a fact that stopped is measured against those that go on, and a company that
   was built from an old copy is not late. #}

{% macro latest_fact_day() -%}
    select max(dates.date_day) as date_day
    from (
        select max(ordered_date_key) as date_key from {{ ref('fct_orders') }}
        union all
        select max(paid_date_key) as date_key from {{ ref('fct_payments') }}
        union all
        select max(started_date_key) as date_key from {{ ref('fct_web_sessions') }}
        union all
        select max(touched_date_key) as date_key from {{ ref('fct_campaign_touches') }}
    ) as latest
    inner join {{ ref('dim_dates') }} as dates
        on latest.date_key = dates.date_key
{%- endmacro %}
