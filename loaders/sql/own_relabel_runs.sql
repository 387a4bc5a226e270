-- The runs behind a result, under the system's new name and division.
update own.runs set system_id = $system, division = $division where upload_id = $upload and result_id = $result;
