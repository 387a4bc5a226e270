-- Two rounds in which one system has measured power: one row per submitter, system, older and newer round; `cells` counts the
-- benchmarks and scenarios of one division that both have. Those of $submitter come first, then the newest; unverified ones last.
with measured as (
    select
        submitter, coalesce(system_id, system_name) as system, round, round_index, division, benchmark, scenario,
        verified
    from results
    where power_value > 0 and efficiency > 0 and split_part(suite, '-', 1) = 'inference'
),
returning_systems as (
    select submitter, system from measured where system != '' group by all having count(distinct round) > 1
),
cells as (
    select distinct measured.* from measured join returning_systems using (submitter, system)
)
select submitter, system, older.round as older, newer.round as newer, count(*)::integer as cells
from cells as older
join cells as newer using (submitter, system, division, benchmark, scenario)
where older.round_index < newer.round_index
group by submitter, system, older.round, older.round_index, newer.round, newer.round_index
order by
    submitter = $submitter desc, bool_or(older.verified) desc, newer.round_index desc, older.round_index desc, cells desc, submitter, system
