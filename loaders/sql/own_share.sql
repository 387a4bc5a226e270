-- Whether everybody who is logged in sees an upload.
update own.uploads set is_shared = $is_shared where upload_id = $upload;
