-- What stands beside one result: its runs and checks.
delete from own.runs where upload_id = $upload and result_id = $result;
delete from own.checks where upload_id = $upload and result_id = $result;
