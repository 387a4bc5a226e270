-- All results of the systems whose links (`systems.SystemKey.text`) are listed in $systems: one row per result and suite.
select *
from results
where list_contains(
    $systems,
    concat(
        case when suite = 'training' then 'training' else 'inference' end, '-', round, '/', submitter, '/',
        coalesce(system_id, system_name, '')
    )
)
order by
    round_index, submitter, coalesce(system_id, system_name, ''), benchmark, scenario, division, has_power, result_id, suite
