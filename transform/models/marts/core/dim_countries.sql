{{ config(dist='all', sort=['country_code']) }}

with

countries as (
    select * from {{ ref('countries') }}
),

final as (
    select
        country_code,
        country_name,
        region_name,
        is_eu_member,
        currency_code,
        country_code = 'ZZ' as is_unknown
    from countries
)

select * from final
