{{ config(dist='all', sort=['department_id']) }}

with

categories as (
    select * from {{ ref('stg_shop__categories') }}
),

with_unknown as (
    select
        category_id as department_id,
        category_slug as department_slug,
        category_name as department_name,
        false as is_unknown,
        updated_at
    from categories
    where parent_category_id is null
    union all
    select
        {{ unknown_id() }} as department_id,
        'unknown' as department_slug,
        'Unknown' as department_name,
        true as is_unknown,
        null as updated_at
),

final as (
    select
        cast(department_id as integer) as department_id,
        department_slug,
        department_name,
        is_unknown,
        cast(updated_at as timestamptz) as updated_at
    from with_unknown
)

select * from final
