-- The results of a trend, oldest round first: one row per result and suite, columns as in `results`. Those that the rules
-- of their round call invalid are no results. Unverified ones are found by their owner, as in trend_fields.
select *
from results
where
    list_contains(
        $values,
        case
            when not verified then submitter
            else case $by
                when 'server_family' then server_family
                when 'server' then server
                when 'accelerator' then accelerator
                when 'submitter' then submitter
            end
        end
    )
    and split_part(suite, '-', 1) = $kind
    and list_contains($benchmarks, benchmark)
    and scenario is not distinct from $scenario
    and division = $division
    and has_power = $has_power
    and valid is distinct from false
order by round_index, round, result_id, suite
