-- The training results with measured energy, newest round first, unverified ones last: one row per result, columns as in `results`.
select *
from results
where suite = 'training' and has_power and power_value > 0 and valid is distinct from false
order by verified desc, round_index desc, submitter, system_id, benchmark, result_id
