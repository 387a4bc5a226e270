-- The results of a field: one row per result of one suite and round, columns as in `results`; invalid ones are none.
-- Unverified ones among them; where these do not state their availability, they stand beside any.
-- $has_power is null for with and without; '' leaves a column free; $accelerator 'none' means processors alone.
select *
from results
where suite = $suite
    and round = $round
    and division = $division
    and ($has_power is null or has_power = $has_power)
    and ($availability in ('', availability) or (not verified and availability is null))
    and $benchmark in ('', benchmark)
    and ($accelerator = '' or coalesce(accelerator, 'none') = $accelerator)
    and ($accelerator_count = '' or accelerator_count::varchar = $accelerator_count)
    and valid is distinct from false
order by benchmark, scenario, submitter, coalesce(system_id, system_name), result_id
