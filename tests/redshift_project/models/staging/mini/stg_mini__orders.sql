select
    order_id,
    note,
    amount,
    updated_at
from {{ source('mini', 'orders') }}
where _sdc_deleted_at is null
