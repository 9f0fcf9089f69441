-- The second day: the shop begins to wrap gifts.
alter table shop.orders add column gift_wrap boolean;
