-- The first day: marketing wants to know who brought whom.
alter table shop.customers add column referral_code text;
