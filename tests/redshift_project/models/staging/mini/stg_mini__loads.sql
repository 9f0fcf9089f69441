select stream, rows_inserted
from {{ source('ops', 'loads') }}
