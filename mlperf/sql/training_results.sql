-- The results of training and HPC whose `result_id` is listed in $results: one row per result, columns as in `results`.
select *
from results
where suite in ('training', 'hpc') and list_contains($results, result_id)
order by round_index, submitter, system_id, benchmark, result_id
