-- No generic test measures the depth of a tree; dim_categories would misname what lies deeper.
with

categories as (
    select * from {{ ref('stg_shop__categories') }}
),

final as (
    select node.category_id
    from categories as node
    inner join categories as parent
        on node.parent_category_id = parent.category_id
    inner join categories as grandparent
        on parent.parent_category_id = grandparent.category_id
    where grandparent.parent_category_id is not null
)

select * from final
