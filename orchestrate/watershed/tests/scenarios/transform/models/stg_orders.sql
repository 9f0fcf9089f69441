{{ config(materialized='view', schema='staging') }}
select
    id as order_id,
    amount,
    {{ size_of('amount') }} as size
from raw_shop.orders
