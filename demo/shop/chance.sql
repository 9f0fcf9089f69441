-- Chance that repeats: every "random" number is a hash of the seed, a purpose and a row's number, so
-- that the same seed makes the same rows on any server, in any order, at any scale.
-- The seed is the setting demo.seed of the session. Only +, -, *, / and sqrt touch doubles: those are exact to
-- the last bit on every machine.
create schema demo;

create table demo.company (              -- one row: how the shop was made, and its last day
    scale numeric not null,
    seed bigint not null,
    day integer not null
);

create function demo.hash(purpose text, n bigint) returns text
language sql stable parallel safe
return md5(current_setting('demo.seed') || ':' || purpose || ':' || n::text);

create function demo.roll(purpose text, n bigint) returns double precision  -- in [0, 1)
language sql stable parallel safe
return ('x' || substr(demo.hash(purpose, n), 1, 8))::bit(32)::bigint::double precision / 4294967296;

create function demo.roll_up_to(size bigint, purpose text, n bigint) returns bigint  -- in 1..size
language sql stable parallel safe
return 1 + floor(demo.roll(purpose, n) * size)::bigint;

create function demo.pick(options text[], purpose text, n bigint) returns text
language sql stable parallel safe
return options[demo.roll_up_to(cardinality(options), purpose, n)];

create function demo.sample(size bigint, share double precision, purpose text)
returns setof bigint                     -- different numbers in 1..size, at least one
language sql stable
begin atomic
    select distinct demo.roll_up_to(size, purpose, i)
    from generate_series(1, greatest(1, ceil(size * share)::bigint)) as i
    where size > 0;
end;
