select
    stream,
    cast(sum(rows_inserted) as bigint) as rows_inserted
from {{ ref('stg_mini__loads') }}
group by stream
