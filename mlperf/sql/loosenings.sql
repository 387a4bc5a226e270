-- What a single filter keeps out: one row per filter (its bit as in matching.sql) with the results that would appear
-- without it.
select failing::bigint as bit, count(*)::integer as results
from judged
where bit_count(failing) = 1
group by failing
order by failing
