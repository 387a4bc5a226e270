-- One row: the newest round in which the submitter has results, and the suites that tell it from a round of the other kind
-- with the same name; no suites where the name says enough. Published results only. Rounds count upwards; not every
-- publication date is known.
select
    round,
    case when round in (select round from results where verified group by round having count(distinct split_part(suite, '-', 1)) > 1)
        then list(distinct suite order by suite) else [] end as suites
from results
where submitter = $submitter and verified
group by round, published, split_part(suite, '-', 1)
order by try_cast(ltrim(round, 'v') as double) desc nulls last, published desc nulls last, suites
limit 1
