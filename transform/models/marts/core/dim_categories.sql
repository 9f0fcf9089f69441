{{ config(dist='all', sort=['category_id']) }}

with

categories as (
    select * from {{ ref('stg_shop__categories') }}
),

-- The tree has three levels: department, category, subcategory.
paths as (
    select
        node.category_id,
        node.parent_category_id,
        node.category_slug,
        node.category_name as node_name,
        case
            when grandparent.category_id is not null then 3
            when parent.category_id is not null then 2
            else 1
        end as category_level,
        coalesce(
            grandparent.category_id, parent.category_id, node.category_id
        ) as department_id,
        coalesce(
            grandparent.category_name, parent.category_name, node.category_name
        ) as department_name,
        case
            when grandparent.category_id is not null then parent.category_name
            when parent.category_id is not null then node.category_name
        end as category_name,
        case
            when grandparent.category_id is not null then node.category_name
        end as subcategory_name,
        node.updated_at
    from categories as node
    left join categories as parent
        on node.parent_category_id = parent.category_id
    left join categories as grandparent
        on parent.parent_category_id = grandparent.category_id
),

with_unknown as (
    select * from paths
    union all
    select
        {{ unknown_id() }} as category_id,
        null as parent_category_id,
        'unknown' as category_slug,
        'Unknown' as node_name,
        1 as category_level,
        {{ unknown_id() }} as department_id,
        'Unknown' as department_name,
        null as category_name,
        null as subcategory_name,
        null as updated_at
),

final as (
    select
        cast(category_id as integer) as category_id,
        cast(parent_category_id as integer) as parent_category_id,
        category_slug,
        node_name,
        cast(category_level as integer) as category_level,
        cast(department_id as integer) as department_id,
        department_name,
        category_name,
        subcategory_name,
        category_id = {{ unknown_id() }} as is_unknown,
        cast(updated_at as timestamptz) as updated_at
    from with_unknown
)

select * from final
