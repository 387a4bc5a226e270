-- One result from logs, as it was measured and where it was read.
select measurements.format, measurements.rank, measurements.measurement, results.source, results.source_path
from own.measurements
join own.results using (upload_id, result_id)
where upload_id = $upload and result_id = $result
limit 1;
