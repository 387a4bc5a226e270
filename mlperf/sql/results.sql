-- The chosen results: one row per result and suite, with the internal columns behind the published ones. Newest round first,
-- then by benchmark and scenario, best first; the order is total, so that a choice always gives the same rows in one order.
-- By row number, so that only the chosen rows are read in full width: that takes half the time.
select *
from results
where rowid in (select row from judged where failing = 0)
order by
    try_cast(ltrim(round, 'v') as double) desc nulls last, suite, division, benchmark, scenario, unit,
    case better when 'higher' then -value else value end, submitter, coalesce(system_id, system_name), has_power, result_id
