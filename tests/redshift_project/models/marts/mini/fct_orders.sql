select
    order_id,
    note,
    amount
from {{ ref('int_orders_noted') }}
