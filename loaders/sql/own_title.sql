-- The title of an upload; none where it is not $owner's.
select title from own.uploads where upload_id = $upload and owner = $owner;
