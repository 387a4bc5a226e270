-- Another note to an upload.
update own.uploads set note = $note where upload_id = $upload;
