select
    strftime(dim_dates.month_start_date, '%Y-%m') as order_month,
    count(distinct fct_order_items.order_id) as orders,
    sum(fct_order_items.net_amount)::decimal(18, 2) as revenue
from marts.fct_order_items
inner join marts.dim_dates on dim_dates.date_key = fct_order_items.ordered_date_key
where fct_order_items.order_status <> 'cancelled'
group by order_month
order by order_month
