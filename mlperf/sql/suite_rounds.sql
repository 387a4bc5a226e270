-- The rounds of each suite with published results, newest first: one row per suite and round; `is_theirs`: whether $submitter has results in it.
select
    suite, round,
    any_value(published) as published,
    count(*)::integer as results,
    bool_or(submitter = $submitter) as is_theirs
from results
where verified
group by suite, round
order by suite, try_cast(ltrim(round, 'v') as double) desc nulls last, round desc
