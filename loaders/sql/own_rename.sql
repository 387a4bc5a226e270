-- Another title for an upload.
update own.uploads set title = $title where upload_id = $upload;
