{{ config(dist='all', sort=['product_id']) }}

with

products as (
    select * from {{ ref('dim_products') }}
),

categories as (
    select * from {{ ref('dim_categories') }}
),

departments as (
    select * from {{ ref('dim_departments') }}
),

-- Today's articles. One may hang on a node of any level: what lies below bears the node's name.
final as (
    select
        products.product_id,
        products.sku,
        products.product_name,
        products.colour,
        products.list_price,
        products.is_active,
        products.is_unknown,
        products.category_id,
        coalesce(categories.subcategory_name, categories.node_name) as subcategory_name,
        coalesce(categories.category_name, categories.node_name) as category_name,
        departments.department_id,
        departments.department_name
    from products
    inner join categories
        on products.category_id = categories.category_id
    inner join departments
        on categories.department_id = departments.department_id
    where products.is_current
)

select * from final
