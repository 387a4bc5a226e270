-- The training runs of the systems whose links (`systems.SystemKey.text`) are listed in $systems, those of groups without a
-- score too, in the order they began: one row per run. A log that two sources hold is one run; the uncut log's line is the
-- later one. `also_in` names the other groups that hold the very same run: it began and ended in the same milliseconds;
-- folders of unverified results only for runs of the same owner.
with behind as (
    select *, concat(coalesce(kind, 'training'), '-', round, '/', submitter, '/', system_id) as key
    from runs
    where list_contains($systems, concat(coalesce(kind, 'training'), '-', round, '/', submitter, '/', system_id))
    qualify row_number() over (partition by key, source, source_path order by line desc nulls last) = 1
),
others as (
    select behind.key, behind.source_path, string_agg(distinct concat_ws(' ', other.round, other.location), '; ') as also_in
    from behind
    join runs as other using (started_ms, stopped_ms)
    where
        (other.round, other.location) is distinct from (behind.round, behind.location)
        and (other.submitter = behind.submitter or other.submitter in (select submitter from results where verified))
    group by behind.key, behind.source_path
)
select
    key, result_id, division, benchmark, scenario, location, name, minutes, is_counted, status, epochs, samples, global_batch_size, seed,
    started_ms, also_in, source, source_path, line
from behind
left join others using (key, source_path)
order by key, benchmark, scenario, location, started_ms nulls last, length(name), name
