-- The facts of one result's system: as its sheet states them, in the sheet's order; where there is no sheet, as the tables do.
-- A submitter may have sheets of one name in several folders (divisions, twins with power): that of the result's own folder
-- comes first. The formats of numbers are the result's own.
with asked as (
    select
        split_part(suite, '-', 1) as kind,
        round, suite, division, submitter, system_id, system_name, split_part(location, '/results/', 1) as folder,
        input_data_types, weight_data_types
    from results
    where result_id = $result_id
    order by suite
    limit 1
),
stated as (
    select unnest([
        {'position': 10000, 'field': 'input_data_types', 'value': input_data_types},
        {'position': 10001, 'field': 'weight_data_types', 'value': weight_data_types}
    ], recursive := true)
    from asked
),
fitting as (
    select sheets.*, starts_with(source_path, folder || '/systems/') as is_own
    from sheets
    join asked using (kind, round, submitter)
    where lower(sheets.system_id) = lower(asked.system_id)
),
tabled as (
    select unnest([
        {'position': 0, 'field': 'system_name', 'value': systems.system_name},
        {'position': 1, 'field': 'status', 'value': systems.availability},
        {'position': 2, 'field': 'number_of_nodes', 'value': systems.nodes::varchar},
        {'position': 3, 'field': 'host_processor_model_name', 'value': systems.processor},
        {'position': 4, 'field': 'host_processors_per_node', 'value': systems.processors_per_node},
        {'position': 5, 'field': 'host_processor_core_count', 'value': systems.processor_cores},
        {'position': 6, 'field': 'accelerator_model_name', 'value': systems.accelerator_raw},
        {'position': 7, 'field': 'accelerators', 'value': systems.accelerator_count::varchar},
        {'position': 8, 'field': 'framework', 'value': systems.framework},
        {'position': 9, 'field': 'operating_system', 'value': systems.operating_system}
    ], recursive := true)
    from systems
    join asked using (round, suite, division, submitter)
    where coalesce(systems.system_id, systems.system_name) = coalesce(asked.system_id, asked.system_name)
),
sheet as (
    select position, field, value, source, source_path
    from fitting
    where (source, source_path) = (
        select (source, source_path) from fitting order by coalesce(is_own, false) desc, source_path, source limit 1
    )
    qualify row_number() over (partition by position order by value) = 1
)
select field, value, source, source_path
from (
    select * from sheet
    union all
    select *, null, null from tabled where value is not null and not exists (select 1 from sheet)
    union all
    select *, null, null from stated where value is not null
)
order by position
