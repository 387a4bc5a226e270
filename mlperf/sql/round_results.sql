-- All published results of a round of $kind: one row per result and suite, columns as in `results`. Unverified ones are no part
-- of a round.
select *
from results
where verified and round = $round and split_part(suite, '-', 1) = $kind
order by suite, division, benchmark, scenario, submitter, coalesce(system_id, system_name), has_power, result_id
