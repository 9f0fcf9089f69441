-- Customers number first..last; one in 33 is a person who is there already, written in another way.
insert into shop.customers (
    customer_id, external_id, email, full_name, phone, country, birth_date, loyalty_tier, is_newsletter,
    preferences, interests, created_at, updated_at
)
with entry as (
    select
        n as customer_id,
        case when mod(n, 33) = 0 then n - 7 else n end as person,
        mod(n, 33) = 0 as is_second_entry,
        n <= %(last_late)s::bigint as is_late,
        case
            when n <= %(last_late)s::bigint
                then %(late_before)s::timestamptz - interval '1 minute' * (1 + mod(n, 29))
            else
                %(window_start)s::timestamptz
                + (%(window_end)s::timestamptz - %(window_start)s::timestamptz)
                * (n - %(first)s::bigint + demo.roll('customer.created', n))
                / (%(last)s::bigint - %(first)s::bigint + 1)
        end as created_at
    from generate_series(%(first)s::bigint, %(last)s::bigint) as n
),

person as (
    select
        entry.*,
        demo.pick(
            array[
                'Anna|anna', 'Jürgen|juergen', 'Zoë|zoe', 'Łukasz|lukasz', 'Søren|soren', 'Chloé|chloe',
                'Max|max', 'Mia|mia', 'Emma|emma', 'José|jose', 'Béla|bela', 'Željko|zeljko', 'Ada|ada',
                'Tom|tom', 'Ida|ida', 'Noah|noah', 'Ayşe|ayse', '伟|wei', 'Paul|paul', 'Sofia|sofia'
            ], 'customer.first_name', person
        ) as first_name,
        demo.pick(
            array[
                'Müller|mueller', 'Schmidt|schmidt', 'O''Brien|obrien', 'Núñez|nunez', 'Kowalska|kowalska',
                'Ångström|angstrom', 'van der Berg|vanderberg', 'Weiß|weiss', 'Rossi|rossi', 'Dubois|dubois',
                '李|li', 'Jensen|jensen', 'Novák|novak', 'Meyer-Lüdenscheid|meyer', 'Smith|smith'
            ], 'customer.last_name', person
        ) as last_name,
        demo.pick(
            array['DE', 'DE', 'DE', 'DE', 'DE', 'AT', 'CH', 'FR', 'PL', 'NL'], 'customer.country', person
        ) as country_code,
        lpad((demo.roll('customer.phone', person) * 10000000)::bigint::text, 7, '0') as phone_digits
    from entry
),

address as (
    select
        *,
        split_part(first_name, '|', 2) || '.' || split_part(last_name, '|', 2) || person || '@example.'
        || demo.pick(array['com', 'org', 'net'], 'customer.domain', person) as email
    from person
)

select
    customer_id,
    demo.hash('customer.external', customer_id)::uuid,
    case
        when is_second_entry and mod(customer_id, 2) = 0 then upper(email)
        when is_second_entry then '  ' || initcap(email) || ' '
        when mod(customer_id, 41) = 1 then null
        when mod(customer_id, 83) = 5 then ''
        when mod(customer_id, 29) = 2 then upper(email)
        else email
    end,
    case
        when mod(customer_id, 71) = 3 then null
        when mod(customer_id, 79) = 4 then ''
        when is_second_entry then upper(split_part(first_name, '|', 2)) || '   ' || split_part(last_name, '|', 1)
        else split_part(first_name, '|', 1) || ' ' || split_part(last_name, '|', 1)
    end,
    case
        when mod(customer_id, 19) = 6 then null
        when is_second_entry then '0049 (30) ' || left(phone_digits, 3) || '/' || right(phone_digits, 4)
        else '+4930' || phone_digits
    end,
    case
        when mod(customer_id, 61) = 7 then null
        when mod(customer_id, 67) = 8 then ''
        when country_code = 'DE'
            then demo.pick(array['DE', 'DE', 'DE', 'de', 'Germany', ' Deutschland '], 'customer.spelling', customer_id)
        when country_code = 'AT' then demo.pick(array['AT', 'AT', 'at', 'Austria'], 'customer.spelling', customer_id)
        when country_code = 'FR' then demo.pick(array['FR', 'FR', 'fr ', 'France'], 'customer.spelling', customer_id)
        else country_code
    end,
    case
        when mod(customer_id, 53) = 9 then date '2060-01-01' + mod(customer_id, 3000)::integer
        when mod(customer_id, 11) = 1 then null
        else date '1940-01-01' + (demo.roll('customer.birth', person) * 24000)::integer
    end,
    demo.pick(array['none', 'none', 'none', 'silver', 'gold'], 'customer.tier', person)::shop.loyalty_tier,
    case mod(customer_id, 3) when 0 then true when 1 then false end,
    case mod(customer_id, 6)
        when 0 then null
        when 1 then 'null'::jsonb
        when 2 then '{}'::jsonb
        else jsonb_build_object(
            'language', demo.pick(array['de', 'fr', 'pl', 'zh-Hant'], 'customer.language', person),
            'limit', 0.1 + mod(customer_id, 7), 'since', null, 'tags', jsonb_build_array('a "b"', 'c\d', 'ü')
        )
    end,
    case mod(customer_id, 5)
        when 0 then null
        when 1 then '{}'::text[]
        when 2 then array['garden', null, 'Küche']
        when 3 then array['a, b', 'c "d"', E'e\nf', 'null', '']
        else array[demo.pick(array['home', 'garden', 'outdoor', 'office'], 'customer.interest', person)]
    end,
    created_at,
    case
        when is_late then created_at
        else created_at + (%(horizon)s::timestamptz - created_at) * demo.roll('customer.updated', customer_id)
    end
from address;
