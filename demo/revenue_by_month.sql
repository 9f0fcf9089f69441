select
    strftime(dim_dates.month_start_date, '%Y-%m') as order_month,
    fct_orders.currency_code,
    count(*) as orders,
    sum(fct_orders.revenue_amount)::decimal(18, 2) as revenue
from marts.fct_orders
inner join marts.dim_dates on dim_dates.date_key = fct_orders.ordered_date_key
where not dim_dates.is_unknown
group by order_month, fct_orders.currency_code
order by order_month, fct_orders.currency_code
