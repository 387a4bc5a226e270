-- All checks of one result but the first.
delete from own.checks where upload_id = $upload and result_id = $result and position > 0;
