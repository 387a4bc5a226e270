-- All results of the systems whose links (`systems.SystemKey.text`) are listed in $systems: one row per result and suite.
select *
from results
where list_contains(
    $systems,
    concat(
        split_part(suite, '-', 1), '-', round, '/', submitter, '/',
        coalesce(system_id, system_name, '')
    )
)
order by
    round_index, submitter, coalesce(system_id, system_name, ''), benchmark, scenario, division, has_power, result_id, suite
