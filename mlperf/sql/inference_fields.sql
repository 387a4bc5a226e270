-- What can be asked of inference: one row per round, suite, division, availability, benchmark and scenario, with the numbers
-- of published results, of those with measured power and of those by $submitter; newest round first, then most results. A field
-- of unverified results alone has 0 of each.
select
    round, round_index, suite, division, availability, benchmark, scenario,
    coalesce(max(metric) filter (verified), max(metric)) as metric,
    coalesce(max(unit) filter (verified), max(unit)) as unit,
    (count(*) filter (where verified))::integer as results,
    (count(*) filter (where verified and power_value > 0 and efficiency > 0))::integer as measured,
    (count(*) filter (where submitter = $submitter))::integer as own,
    (count(*) filter (where submitter = $submitter and power_value > 0 and efficiency > 0))::integer as own_measured,
    count(distinct coalesce(system_id, system_name)) filter (where submitter = $submitter)::integer as own_systems
from results
where split_part(suite, '-', 1) = 'inference' and scenario is not null and valid is distinct from false
group by round, round_index, suite, division, availability, benchmark, scenario
order by round_index desc, results desc, suite, benchmark, scenario, division, availability
