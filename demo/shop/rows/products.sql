-- Products number first..last, one in fifty a second entry of the one before it.
insert into shop.products (
    product_id, category_id, sku, name, unit_price, weight_kg, attributes, thumbnail, is_active,
    launched_on, created_at, updated_at
)
with entry as (
    select
        n as product_id,
        case when mod(n, 50) = 0 then n - 1 else n end as original,
        mod(n, 50) = 0 as is_second_entry,
        %(window_start)s::timestamptz
        + (%(window_end)s::timestamptz - %(window_start)s::timestamptz) * demo.roll('product.created', n) as created_at
    from generate_series(%(first)s::bigint, %(last)s::bigint) as n
),

product as (
    select
        *,
        1000 + demo.roll_up_to(36, 'product.category', original)::integer as category_id,
        demo.roll('product.price', original) as price_roll
    from entry
)

select
    product_id,
    case when mod(product_id, 83) = 2 then null else category_id end,
    case
        when is_second_entry then 'shp ' || lpad(original::text, 7, '0')
        else 'SHP-' || lpad(original::text, 7, '0')
    end,
    case when is_second_entry then '  ' else '' end
    || demo.pick(
        array['Klassik', 'Alpine', 'Crème', 'Nordic', 'Señor', 'Żubr', '東京', 'Basic', 'Grand', 'Petit'],
        'product.name', original
    )
    || ' '
    || (select trim(name) from shop.categories as c where c.category_id = product.category_id)
    || ' ' || original,
    case
        when mod(product_id, 89) = 4 then null
        else round((3 + 180 * price_roll * price_roll * price_roll)::numeric, 2)
    end,
    case when mod(product_id, 13) = 5 then null else demo.roll('product.weight', original) * 12 + 0.1 end,
    case mod(product_id, 9)
        when 0 then null
        when 1 then 'null'::jsonb
        when 2 then '{}'::jsonb
        else jsonb_build_object(
            'colour', demo.pick(array['rot', 'blå', 'verde', 'grün', 'noir'], 'product.colour', original),
            'sizes', jsonb_build_array('S', 'M', null),
            'energy_kwh', 12345678901234567890.123456789 + product_id,
            'care', jsonb_build_object('note', E'30 °C\n"gentle"', 'iron', mod(product_id, 2) = 0)
        )
    end,
    case mod(product_id, 7)
        when 0 then null
        when 1 then ''::bytea
        else '\x89504e470d0a1a0a00ff'::bytea || decode(demo.hash('product.thumbnail', product_id), 'hex')
    end,
    demo.roll('product.active', product_id) < 0.93,
    case
        when mod(product_id, 97) = 6 then date '2031-01-01' + mod(product_id, 300)::integer
        when mod(product_id, 31) = 8 then null
        else created_at::date + 14
    end,
    created_at at time zone 'Europe/Berlin',
    created_at + (%(horizon)s::timestamptz - created_at) * demo.roll('product.updated', product_id)
from product;
