create table everything (
    id bigint unsigned primary key,
    small smallint not null,
    price decimal(12, 2) not null,
    ratio double not null,
    is_good tinyint(1) not null,
    name varchar(40) not null,
    day date not null,
    moment timestamp not null,
    naive datetime(6) not null,
    id_of_other uuid not null,
    document json not null,
    mood enum('so so', 'great') not null,
    picture varbinary(10) not null
);
insert into everything values (
    1, -2, 12.50, 0.1, 2, 'Ann', '2026-01-02', '2026-01-02 03:04:05', '2026-01-02 03:04:05',
    '4e1c6d2e-6f3a-4b52-9f2d-000000000001', '{"a": null}', 'great', x'00ff'
);
create table keyless (moved_at timestamp not null);
insert into keyless values (now()), (now()), (now());
create view good as select id, name from everything where is_good;
