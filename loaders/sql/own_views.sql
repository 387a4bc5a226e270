-- What one reader sees, under the names of the snapshot's tables: the published rows, then the reader's own under their
-- upload's title, and those that others share, marked besides: two owners may choose one title. The variables `owner` and
-- `with_shared` say who reads. Questions address results by row number, which own rows need, too: theirs are below zero.
create temp view results as
select rowid, * from memory.results
union all by name
select -1 - mine.rowid as rowid, mine.* exclude (upload_id) replace (concat('Own: ', upload.title, if(
    upload.owner = getvariable('owner'), '', concat(' (shared ', left(upload.upload_id, 6), ')')
)) as submitter)
from own.results as mine
join own.uploads as upload using (upload_id)
where upload.owner = getvariable('owner') or (upload.is_shared and getvariable('with_shared'));
create temp view systems as
select * from memory.systems
union all by name
select mine.* exclude (upload_id) replace (concat('Own: ', upload.title, if(
    upload.owner = getvariable('owner'), '', concat(' (shared ', left(upload.upload_id, 6), ')')
)) as submitter)
from own.systems as mine
join own.uploads as upload using (upload_id)
where upload.owner = getvariable('owner') or (upload.is_shared and getvariable('with_shared'));
create temp view runs as
select * from memory.runs
union all by name
select mine.* exclude (upload_id) replace (concat('Own: ', upload.title, if(
    upload.owner = getvariable('owner'), '', concat(' (shared ', left(upload.upload_id, 6), ')')
)) as submitter)
from own.runs as mine
join own.uploads as upload using (upload_id)
where upload.owner = getvariable('owner') or (upload.is_shared and getvariable('with_shared'));
create temp view sheets as
select * from memory.sheets
union all by name
select mine.* exclude (upload_id) replace (concat('Own: ', upload.title, if(
    upload.owner = getvariable('owner'), '', concat(' (shared ', left(upload.upload_id, 6), ')')
)) as submitter)
from own.sheets as mine
join own.uploads as upload using (upload_id)
where upload.owner = getvariable('owner') or (upload.is_shared and getvariable('with_shared'));
create temp view sightings as
select * from memory.sightings
union all by name
select mine.* exclude (upload_id)
from own.sightings as mine
join own.uploads as upload using (upload_id)
where upload.owner = getvariable('owner') or (upload.is_shared and getvariable('with_shared'));
