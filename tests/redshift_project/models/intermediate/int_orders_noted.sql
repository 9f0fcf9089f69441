select
    order_id,
    note,
    amount
from {{ ref('stg_mini__orders') }}
