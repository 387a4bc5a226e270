-- Every system under test, newest round first: one row per kind, round, submitter and system ID (or name, where tables
-- give no ID). `verified`: whether its results are published ones.
select
    split_part(suite, '-', 1) as kind,
    round, submitter, coalesce(system_id, system_name, '') as system,
    max(system_name) as system_name,
    max(server) as server,
    max(server_family) as server_family,
    max(accelerator) as accelerator,
    max(accelerator_count) as accelerator_count,
    max(nodes) as nodes,
    max(round_index) as round_index,
    list_sort(list(distinct suite)) as suites,
    list_sort(list(distinct division)) as divisions,
    bool_or(has_power) as has_power,
    bool_or(verified) as verified,
    count(distinct result_id)::integer as results
from results
group by kind, round, submitter, coalesce(system_id, system_name, '')
order by try_cast(ltrim(round, 'v') as double) desc nulls last, kind, submitter, system
