{{ config(dist='identity_id', sort=['identity_rank']) }}

{#- The last pass is compared with the one before it. #}
{%- set passes = [var('identity_passes') | int, 2] | max %}

with

identities as (
    select * from {{ ref('int_identities_gathered') }}
),

links as (
    select * from {{ ref('int_identities_linked') }}
),

labels as (
    select
        identity_id,
        identity_rank as lowest_rank
    from identities
),
{{ min_label_passes('links', 'labels', passes) }}

final as (
    select
        identities.identity_id,
        identities.source_system,
        identities.source_entity,
        identities.source_id,
        identities.identity_rank,
        last_pass.lowest_rank as surviving_rank,
        pass_before.lowest_rank as surviving_rank_before_last_pass,
        identities.own_customer_id,
        survivors.own_customer_id as customer_id
    from identities
    inner join pass_{{ passes }} as last_pass
        on identities.identity_id = last_pass.identity_id
    inner join pass_{{ passes - 1 }} as pass_before
        on identities.identity_id = pass_before.identity_id
    inner join identities as survivors
        on last_pass.lowest_rank = survivors.identity_rank
)

select * from final
