-- The chosen results as every file holds them: one row per result and suite, the columns of model.RESULT_COLUMNS, in the
-- order of results.sql.
select
    round, suite, division, availability, submitter, system_id, system_name, server, server_family, accelerator,
    accelerator_count, nodes, processor, framework, benchmark, scenario, metric, value, unit, better, has_power,
    power_value, power_unit, efficiency, efficiency_unit, accuracy, inferred, valid, runs, public_id, basis,
    verified, origin, source, source_path, tokens_per_second, samples_per_second, mean_latency_ms
from results
where rowid in (select row from judged where failing = 0)
order by
    try_cast(ltrim(round, 'v') as double) desc nulls last, suite, division, benchmark, scenario, unit,
    case better when 'higher' then -value else value end, submitter, coalesce(system_id, system_name), has_power, result_id
