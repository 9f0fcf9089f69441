-- Addresses number first..last: one for each customer from first_customer on, then second ones of anybody.
insert into shop.addresses (
    address_id, customer_id, kind, street, city, postal_code, country, is_default, updated_at
)
with entry as (
    select
        n as address_id,
        case
            when %(first_customer)s::bigint + n - %(first)s::bigint <= %(customers)s::bigint
                then %(first_customer)s::bigint + n - %(first)s::bigint
            else demo.roll_up_to(%(customers)s::bigint, 'address.customer', n)
        end as customer_id,
        -- Who is there a second time lives where the first entry says.
        case
            when
                %(first_customer)s::bigint + n - %(first)s::bigint <= %(customers)s::bigint
                and mod(%(first_customer)s::bigint + n - %(first)s::bigint, 33) = 0
                then n - 7
            else n
        end as home,
        %(first_customer)s::bigint + n - %(first)s::bigint <= %(customers)s::bigint as is_default
    from generate_series(%(first)s::bigint, %(last)s::bigint) as n
),

located as (
    select
        *,
        demo.pick(
            array[
                'Berlin|10115', 'Dresden|01067', 'München|80331', 'Köln|50667', 'Wien|1010', 'Zürich|8001',
                'Orléans|45000', 'Łódź|90-001', '''s-Hertogenbosch|5211', 'Kraków|30-001'
            ], 'address.city', home
        ) as city
    from entry
)

select
    address_id,
    customer_id,
    demo.pick(array['shipping', 'shipping', 'billing', 'Shipping '], 'address.kind', address_id),
    case
        when mod(address_id, 47) = 1 then null
        when mod(address_id, 59) = 2 then ''
        else replace(
            demo.pick(
                array[
                    'Hauptstraße', 'Rue de l''Église', 'ul. Świętokrzyska', 'Am "Alten" Markt,',
                    E'c/o Böhm\nGartenweg'
                ], 'address.street', home
            ),
            'straße', case when home < address_id then 'str.' else 'straße' end
        ) || ' ' || demo.roll_up_to(180, 'address.number', home)
    end,
    case when mod(address_id, 37) = 3 then upper(split_part(city, '|', 1)) else split_part(city, '|', 1) end,
    case when mod(address_id, 43) = 4 then null else split_part(city, '|', 2) end,
    demo.pick(array['DE', 'DE', 'de', 'Germany', null], 'address.country', address_id),
    is_default,
    %(window_start)s::timestamptz
    + (%(window_end)s::timestamptz - %(window_start)s::timestamptz) * demo.roll('address.updated', address_id)
from located;
