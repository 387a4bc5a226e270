-- The other systems under test of the same submitter that have the system's ID or its server: one row per kind, round and
-- system ID (or name, where tables give no ID), newest round first.
with found as (
    select
        split_part(suite, '-', 1) as kind,
        round, submitter, coalesce(system_id, system_name, '') as system,
        max(server) as server,
        max(accelerator) as accelerator,
        max(accelerator_count) as accelerator_count,
        max(nodes) as nodes,
        max(published) as published,
        count(distinct result_id)::integer as results
    from results
    where submitter = $submitter
    group by kind, round, submitter, coalesce(system_id, system_name, '')
),
own as (
    select server from found where kind = $kind and round = $round and system = $system
)
select found.*, system = $system as is_same_id
from found
where
    (kind, round, system) is distinct from ($kind, $round, $system)
    and (system = $system or server = (select server from own))
order by is_same_id desc, published desc nulls last, kind, round desc, system
