-- The uploads of $owner, newest first: one row each, with the numbers of its results, runs and faults.
select
    uploads.*,
    (select count(distinct result_id) from own.results as one where one.upload_id = uploads.upload_id) as results,
    (select count(*) from own.runs as one where one.upload_id = uploads.upload_id) as runs,
    (select count(*) from own.problems as one where one.upload_id = uploads.upload_id) as faults
from own.uploads
where owner = $owner
order by saved desc, upload_id;
