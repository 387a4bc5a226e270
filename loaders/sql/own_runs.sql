-- The single training runs of one upload of $owner, group by group in the order they began.
select mine.* exclude (upload_id)
from own.runs as mine
join own.uploads using (upload_id)
where uploads.owner = $owner and upload_id = $upload
order by mine.location, mine.started_ms nulls last, length(mine.name), mine.name;
