-- The customer relations database: ten years of a sales team's clicks, every wart on purpose.
-- Applied once by the generator into the empty database "crm". Tables are keyed; there are no foreign keys, and some
-- rows point nowhere. INCREMENTAL tables have an index on updated_at, which is never null and never zero.
create table accounts (                  -- a day deletes from it: FULL_TABLE; latin1, and some names are broken UTF-8
    account_id bigint unsigned primary key,        -- a partner's imports number downwards from 18446744073709551615
    account_uuid char(36) not null,
    name varchar(120) not null,                    -- 'MÃ¼ller': UTF-8 bytes that were declared to be latin1
    country varchar(40),                           -- 'DE', 'de', 'Germany', ' Deutschland '
    segment enum('smb', 'mid market', 'enterprise') not null,
    flags set('newsletter', 'reseller', 'key account', 'do not call') not null,
    employees mediumint unsigned,
    founded year,                                  -- 0000 where nobody knew
    annual_revenue decimal(65, 30),                -- up to 35 digits before the point, 30 after it
    credit_limit decimal(12, 2),
    is_active tinyint(1) not null,                 -- 0, 1; 2 is 'on hold', -1 'blocked'
    is_vip bit(1),
    permissions bit(12) not null,
    signed_on date,                                -- '0000-00-00', '2019-00-00'
    note text,
    logo varbinary(64),
    created_at datetime not null,
    updated_at timestamp not null default current_timestamp
) character set latin1 collate latin1_swedish_ci;

create table contacts (                  -- INCREMENTAL by updated_at
    contact_id int unsigned primary key,
    account_id bigint unsigned,                    -- some have no account, some one that has gone
    external_ref char(36),
    email varchar(255),                            -- mixed case, stray spaces, +tags, missing, placeholders
    full_name varchar(200),
    phone varchar(40),                             -- '+49 30 1234567', '0049 (30) 123/4567', '030 1234567', 'n/a'
    country varchar(60),
    birth_date date,                               -- zero, or in the future
    opted_in tinyint(1),                           -- 0, 1; 2 is 'mail sent, not confirmed'; 127 a slip of a clerk
    lead_score double,
    response_delay time(3),                        -- negative where the answer came first; to '838:59:59'
    attributes json,                               -- null, 'null', '{}' and documents; numbers no double holds
    created_at datetime(6) not null,
    updated_at timestamp(6) not null default current_timestamp(6),
    key (account_id),
    key (updated_at)
) character set utf8mb4;

create table campaigns (                 -- a day deletes drafts from it: FULL_TABLE
    campaign_id smallint unsigned primary key,
    name varchar(120) not null,
    channel enum('email', 'social', 'search', 'print', 'event') not null,
    audience set('smb', 'mid market', 'enterprise', 'consumer') not null,
    started_on date,                               -- '0000-00-00' for a draft
    ended_on date,
    fiscal_year year,
    budget decimal(12, 2),
    weekdays bit(7) not null,
    sends_at time,
    created_at datetime not null,
    updated_at timestamp not null default current_timestamp
) character set utf8mb4;

create table campaign_touches (          -- INCREMENTAL by updated_at
    touch_id bigint unsigned primary key,
    campaign_id smallint unsigned not null,
    contact_id int unsigned not null,
    kind enum('sent', 'opened', 'clicked', 'bounced', 'unsubscribed') not null,
    touched_at datetime(6) not null,
    cost decimal(12, 6),
    device varchar(20),                            -- 'mobile', 'Mobile ', 'DESKTOP', null
    `Landing Page` varchar(500),
    payload json,
    updated_at datetime(6) not null,
    key (updated_at)
) character set utf8mb4;

create table subscriptions (             -- INCREMENTAL by updated_at
    subscription_id int unsigned primary key,
    contact_id int unsigned not null,
    plan varchar(20) character set latin1 not null,  -- 'basic', 'Basic', 'plus ', 'pro'
    monthly_price decimal(12, 2) not null,
    discount_rate decimal(5, 4) not null,
    currency char(3) not null,
    status enum('trial', 'active', 'past_due', 'cancelled') not null,
    seats tinyint unsigned not null,
    auto_renew bit(1) not null,
    started_on date not null,
    cancelled_on date,                             -- '0000-00-00' where the old system meant 'not cancelled'
    updated_at datetime not null,
    key (updated_at)
) character set utf8mb4;

create table invoices (                  -- INCREMENTAL by updated_at
    invoice_id bigint unsigned primary key,
    subscription_id int unsigned not null,
    number varchar(20) not null,
    period_start date not null,
    issued_on date not null,
    due_on date,                                   -- '2025-02-00': due in February
    amount decimal(12, 2) not null,                -- negative for a credit note
    tax_rate decimal(5, 4),
    exchange_rate decimal(65, 30),
    status enum('open', 'paid', 'written off') not null,
    paid_at datetime,                              -- '0000-00-00 00:00:00' where the old system meant 'not paid'
    fiscal_year year not null,
    `lines` json not null,
    pdf_digest binary(16),
    updated_at timestamp(6) not null default current_timestamp(6),
    key (updated_at)
) character set utf8mb4;
