-- What can still be chosen: one row per filter and value, with the number of results that choosing it would leave.
-- Each filter's values are counted among the rows that pass all OTHER filters. A mixed system counts for each of its chips.
-- Column `facet` is 'name=value'; an empty value stands for an empty cell. Bits as in matching.sql.
, near as materialized (
    select
        round, suite, division, availability, submitter, coalesce(system_id, system_name) as system_id, server, server_family,
        accelerator, accelerators, accelerator_count, nodes, benchmark, scenario, has_power, failing
    from judged
    where bit_count(failing) <= 1
),
facets as (
    select unnest([
        case when failing in (0, 1) then 'round=' || coalesce(round, '') end,
        case when failing in (0, 2) then 'suite=' || coalesce(suite, '') end,
        case when failing in (0, 4) then 'division=' || coalesce(division, '') end,
        case when failing in (0, 8) then 'availability=' || coalesce(availability, '') end,
        case when failing in (0, 16) then 'submitter=' || coalesce(submitter, '') end,
        case when failing in (0, 32) then 'system_id=' || coalesce(system_id, '') end,
        case when failing in (0, 128) then 'server=' || coalesce(server, '') end,
        case when failing in (0, 256) then 'server_family=' || coalesce(server_family, '') end,
        case when failing in (0, 1024) then 'accelerator_count=' || coalesce(accelerator_count::varchar, '') end,
        case when failing in (0, 2048) then 'nodes=' || coalesce(nodes::varchar, '') end,
        case when failing in (0, 16384) then 'benchmark=' || coalesce(benchmark, '') end,
        case when failing in (0, 32768) then 'scenario=' || coalesce(scenario, '') end,
        case when failing in (0, 524288) then 'has_power=' || coalesce(has_power::varchar, '') end
    ]) as facet
    from near
    union all
    select unnest(case
        when coalesce(len(accelerators), 0) = 0 then ['accelerator=' || coalesce(accelerator, '')]
        else list_transform(accelerators, lambda name: 'accelerator=' || name)
    end)
    from near
    where failing in (0, 512)
)
select facet, count(*)::integer as results
from facets
where facet is not null
group by facet
order by facet
