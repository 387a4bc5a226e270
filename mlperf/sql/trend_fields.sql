-- What trends there are to draw: one row per value of the column $by, kind, benchmark, scenario, division and power: the
-- indexes of the rounds with results, and of those with results of $submitter; the systems' numbers of accelerators. Unverified
-- results have a value of their own, their owner's.
select
    case
        when not verified then submitter
        else case $by
            when 'server_family' then server_family
            when 'server' then server
            when 'accelerator' then accelerator
            when 'submitter' then submitter
        end
    end as value,
    verified,
    split_part(suite, '-', 1) as kind,
    benchmark, scenario, division, has_power,
    list_sort(list(distinct round_index)) as rounds,
    coalesce(list_sort(list(distinct round_index) filter (submitter = $submitter)), []) as own_rounds,
    list_sort(list(distinct accelerator_count) filter (accelerator_count > 0)) as accelerator_counts,
    count(distinct result_id)::integer as results
from results
group by all
having value is not null
order by all
