-- The titles of $owner's other uploads.
select title from own.uploads where owner = $owner and upload_id != $upload;
