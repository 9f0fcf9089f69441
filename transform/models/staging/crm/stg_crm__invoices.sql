with

source as (
    select *
    from {{ source('crm', 'invoices') }}
    where _sdc_deleted_at is null
),

renamed as (
    select
        -- ids
        invoice_id,
        subscription_id,

        -- text
        number as invoice_number,
        status as invoice_status,

        -- numerics
        amount,
        tax_rate,
        exchange_rate,
        {{ json_length('lines') }} as line_count,
        fiscal_year,

        -- booleans
        amount < 0 as is_credit_note,

        -- dates and timestamps
        period_start as period_start_date,
        issued_on as issued_date,
        due_on as due_date,
        {{ utc_to_instant('paid_at') }} as paid_at,
        updated_at,
        _sdc_received_at as loaded_at
    from source
)

select * from renamed
