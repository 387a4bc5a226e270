-- Where one result was read: one row per place in a source, with the figures and the ID that stand there.
select source, source_path, line, suite, public_id, value, unit, power_value, power_unit
from sightings
where result_id = $result_id
order by source, source_path, line, suite
