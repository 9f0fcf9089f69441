-- As orders.postgres.sql, in MariaDB's types.
create table {table} (
    id bigint not null primary key,
    uid char(36) not null,
    amount decimal(12, 2) not null,
    updated_at timestamp(6) not null default current_timestamp(6),
    created_at datetime(6) not null,
    order_date date not null,
    is_paid tinyint(1) not null,
    score double not null,
    note text not null,
    meta json not null,
    qty integer not null,
    coupon varchar(20)
);
insert into {table}
select
    9007199254740992 + seq,
    insert(insert(insert(insert(md5(seq), 9, 0, '-'), 14, 0, '-'), 19, 0, '-'), 24, 0, '-'),
    (seq * 7919) % 9999999 / 100,
    timestamp '2024-01-01 00:00:00' + interval seq second + interval (seq * 7919 % 1000000) microsecond,
    timestamp '2024-01-01 00:00:00' + interval seq second,
    date '2024-01-01' + interval (seq div 86400) day,
    seq % 10 < 7,
    sin(seq) * 1000000,
    concat(md5(seq), ' naïve ☃ ', md5(seq * 7), substr(md5(seq * 3), 1, 8)),
    json_object('k', seq % 1000, 'src', elt(1 + seq % 3, 'web', 'app', 'shop'), 'v', seq % 997 / 8),
    seq % 100,
    if(seq % 5 < 3, concat('C', seq % 5000), null)
from seq_1_to_{rows};
create index updated_at on {table} (updated_at);
