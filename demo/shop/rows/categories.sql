-- Three levels: department, category, subcategory. Some names carry stray spaces and capitals.
insert into shop.categories (category_id, parent_category_id, name, slug, updated_at)
with leaf as (
    select
        row_number() over () as leaf_number,
        (row_number() over () - 1) / 3 + 1 as category_number,
        (row_number() over () - 1) / 9 + 1 as department_number,
        entry.*
    from (values
        ('Home', 'Kitchen', 'Knives'), ('Home', 'Kitchen', 'Pots & pans'), ('Home', 'Kitchen', 'Kaffee & Tee'),
        ('Home', 'Bedroom', 'Linen'), ('Home', 'Bedroom', 'Pillows'), ('Home', 'Bedroom', 'Duvets'),
        ('Home', 'Lighting', 'Lamps'), ('Home', 'Lighting', 'Bulbs'), ('Home', 'Lighting', 'Candles'),
        ('Garden', 'Tools', 'Spades'), ('Garden', 'Tools', 'Shears'), ('Garden', 'Tools', 'Gloves'),
        ('Garden', 'Plants', 'Kräuter'), ('Garden', 'Plants', 'Roses'), ('Garden', 'Plants', 'Seeds'),
        ('Garden', 'Furniture', 'Chairs'), ('Garden', 'Furniture', 'Tables'), ('Garden', 'Furniture', 'Parasols'),
        ('Outdoor', 'Camping', 'Tents'), ('Outdoor', 'Camping', 'Stoves'), ('Outdoor', 'Camping', 'Sleeping bags'),
        ('Outdoor', 'Cycling', 'Lights'), ('Outdoor', 'Cycling', 'Pumps'), ('Outdoor', 'Cycling', 'Locks'),
        ('Outdoor', 'Hiking', 'Boots'), ('Outdoor', 'Hiking', 'Backpacks'), ('Outdoor', 'Hiking', 'Poles'),
        ('Office', 'Paper', 'Notebooks'), ('Office', 'Paper', 'Cahiers'), ('Office', 'Paper', 'Envelopes'),
        ('Office', 'Writing', 'Fountain pens'), ('Office', 'Writing', 'Pencils'), ('Office', 'Writing', 'Inks'),
        ('Office', 'Desk', 'Trays'), ('Office', 'Desk', 'Lamps'), ('Office', 'Desk', 'Clocks')
    ) as entry (department, category, subcategory)
),

node as (
    select distinct
        department_number::integer as category_id,
        null::integer as parent_category_id,
        department as name,
        department as path
    from leaf
    union
    select distinct
        (100 + category_number)::integer,
        department_number::integer,
        category,
        department || '-' || category
    from leaf
    union
    select
        (1000 + leaf_number)::integer,
        (100 + category_number)::integer,
        subcategory,
        department || '-' || category || '-' || subcategory
    from leaf
)

select
    category_id,
    parent_category_id,
    case mod(category_id, 11)
        when 3 then '  ' || name
        when 7 then upper(name) || ' '
        else name
    end,
    regexp_replace(lower(path), '[^a-z0-9]+', '-', 'g'),
    %(window_start)s::timestamptz + interval '7 hours' * category_id
from node
order by category_id;
