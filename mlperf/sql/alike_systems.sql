-- Two edge systems of a submitter that share most benchmarks and scenarios in one round, without power; the newest round of
-- those where a pair shares as many: one row per system, at most two rows.
with cells as (
    select distinct round, round_index, submitter, coalesce(system_id, system_name, '') as system, benchmark, scenario
    from results
    where submitter = $submitter and suite = 'inference-edge' and division = 'closed' and not has_power
),
pairs as (
    select one.round, one.round_index, one.submitter, one.system as first, other.system as second, count(*) as shared
    from cells as one
    join cells as other using (round, round_index, submitter, benchmark, scenario)
    where one.system < other.system
    group by all
    order by shared desc, one.round_index desc, first, second
    limit 1
)
select 'inference' as kind, round, submitter, unnest([first, second]) as system
from pairs
