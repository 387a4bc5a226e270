-- The faults of one upload of $owner: one row per kind and file.
select source, file, line, kind, found, fix, occurrences
from own.problems
join own.uploads using (upload_id)
where uploads.owner = $owner and upload_id = $upload
order by file, line, kind, found;
