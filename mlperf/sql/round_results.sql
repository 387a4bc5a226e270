-- All results of a round of $kind: one row per result and suite, columns as in `results`.
select *
from results
where round = $round and (suite = 'training') = ($kind = 'training')
order by suite, division, benchmark, scenario, submitter, coalesce(system_id, system_name), has_power, result_id
