-- Where one result was read: one row per place in a source, with the figures and the ID that stand there, and whether a table
-- states the figure or we computed it from a log; and the second measures of that log, with the lines where they stand.
select source, source_path, line, basis, suite, public_id, value, unit, power_value, power_unit, tokens_per_second,
    samples_per_second, mean_latency_ms, measure_lines
from sightings
where result_id = $result_id
order by source, source_path, line, suite
