-- What fields the published results of a round of a suite have: one row per value of a column, `results` counting what has it; benchmarks with their
-- scenarios, separated by a line break.
with field as (
    select * from results where verified and suite = $suite and round = $round and valid is distinct from false
),
named as (
    select result_id, unnest([
        {'name': 'benchmark', 'value': concat(benchmark, chr(10), scenario)},
        {'name': 'division', 'value': division},
        {'name': 'availability', 'value': availability},
        {'name': 'accelerator', 'value': coalesce(accelerator, 'none')},
        {'name': 'accelerator_count', 'value': accelerator_count::varchar},
        {'name': 'power', 'value': case when has_power then 'with' else 'without' end}
    ], recursive := true)
    from field
)
select name, value, count(*)::integer as results
from named
where value is not null
group by name, value
order by name, results desc, value
