-- Every value that a link can name: one row per filter and value that occurs; an empty value stands for an empty cell.
select 'round' as name, coalesce(round, '') as value from results
union
select 'suite' as name, coalesce(suite, '') as value from results
union
select 'division' as name, coalesce(division, '') as value from results
union
select 'availability' as name, coalesce(availability, '') as value from results
union
select 'submitter' as name, coalesce(submitter, '') as value from results
union
select 'system_id' as name, coalesce(system_id, system_name, '') as value from results
union
select 'system_name' as name, coalesce(system_name, '') as value from results
union
select 'server' as name, coalesce(server, '') as value from results
union
select 'server_family' as name, coalesce(server_family, '') as value from results
union
select 'accelerator' as name, coalesce(accelerator, '') as value from results
union
select 'accelerator', unnest(accelerators) from results
union
select 'accelerator_count' as name, coalesce(accelerator_count::varchar, '') as value from results
union
select 'nodes' as name, coalesce(nodes::varchar, '') as value from results
union
select 'processor' as name, coalesce(processor, '') as value from results
union
select 'framework' as name, coalesce(framework, '') as value from results
union
select 'benchmark' as name, coalesce(benchmark, '') as value from results
union
select 'scenario' as name, coalesce(scenario, '') as value from results
union
select 'metric' as name, coalesce(metric, '') as value from results
union
select 'unit' as name, coalesce(unit, '') as value from results
union
select 'better' as name, coalesce(better, '') as value from results
union
select 'has_power' as name, coalesce(has_power::varchar, '') as value from results
union
select 'inferred' as name, coalesce(inferred::varchar, '') as value from results
union
select 'valid' as name, coalesce(valid::varchar, '') as value from results
union
select 'runs' as name, coalesce(runs::varchar, '') as value from results
union
select 'public_id' as name, coalesce(public_id, '') as value from results
union
select 'basis' as name, coalesce(basis, '') as value from results
union
select 'verified' as name, coalesce(verified::varchar, '') as value from results
union
select 'origin' as name, coalesce(origin, '') as value from results
union
select 'source' as name, coalesce(source, '') as value from results
order by name, value
