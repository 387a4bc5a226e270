-- The results of one upload of $owner: one row per result and suite, columns as in `results`, then the measurement as JSON
-- (null for a figure of a table).
select
    mine.* exclude (upload_id) replace (concat('Own: ', uploads.title) as submitter),
    measurements.measurement
from own.results as mine
join own.uploads using (upload_id)
left join own.measurements using (upload_id, result_id)
where uploads.owner = $owner and upload_id = $upload
order by benchmark, scenario, system_id, result_id, suite;
