-- Times to train by what tells their systems' families: one row per result; of $submitter in $round, of all for nulls.
select
    result_id, suite, round, round_index, division, submitter, coalesce(system_id, system_name, '') as system, server, accelerator,
    accelerator_count, nodes, processor, framework, benchmark, verified
from results
where
    metric = 'time_to_train'
    and ($submitter is null or submitter = $submitter)
    and ($round is null or round = $round)
order by round_index desc, submitter, system, benchmark, result_id
