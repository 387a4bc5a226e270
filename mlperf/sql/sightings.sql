-- Where one result was read: one row per place in a source, with the figures and the ID that stand there, and whether a table
-- states the figure or we computed it from a log.
select source, source_path, line, basis, suite, public_id, value, unit, power_value, power_unit
from sightings
where result_id = $result_id
order by source, source_path, line, suite
