-- The systems with measured power in inference, those of $submitter first, newest round first: one row per round, submitter
-- and system; unverified ones last.
select round, submitter, coalesce(system_id, system_name, '') as system
from results
where power_value > 0 and efficiency > 0 and split_part(suite, '-', 1) = 'inference'
group by round, round_index, submitter, coalesce(system_id, system_name, '')
having system != ''
order by
    submitter = $submitter desc, bool_or(verified) desc, round_index desc, count(distinct result_id) desc, submitter, system
