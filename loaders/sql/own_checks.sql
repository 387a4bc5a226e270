-- The checks of one upload of $owner: one row per rule and group, in the order of the groups.
select checks.* exclude (upload_id)
from own.checks
join own.uploads using (upload_id)
where uploads.owner = $owner and upload_id = $upload
order by group_name, position;
