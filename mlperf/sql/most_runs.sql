-- The training result of a submitter that most runs stand behind in the newest round that has any: one row with its round,
-- system and benchmark; none where no runs are known.
select round, coalesce(system_id, system_name, '') as system, benchmark
from results
where suite = 'training' and submitter = $submitter and runs is not null
order by round_index desc, runs desc, division, has_power, system, benchmark
limit 1
