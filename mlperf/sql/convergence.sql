-- How the results listed in $results converged: one row per result with runs. Means are over the runs that its score is the
-- mean of, and null where one of these does not say; a log that two sources hold is one run.
with behind as (
    select *
    from runs
    where list_contains($results, result_id)
    qualify row_number() over (partition by result_id, source, source_path order by line desc nulls last) = 1
)
select
    result_id,
    count(*)::integer as runs,
    count(*) filter (is_counted)::integer as counted,
    avg(minutes) filter (is_counted) as minutes,
    case when bool_and(epochs is not null) filter (is_counted) then avg(epochs) filter (is_counted) end as epochs,
    case when bool_and(samples is not null) filter (is_counted) then avg(samples) filter (is_counted) end as samples,
    min(global_batch_size) as smallest_batch,
    max(global_batch_size) as largest_batch
from behind
group by result_id
order by result_id
