-- Put one line in the place of a result's checks, which are no longer those of its labels; the others are forgotten.
update own.checks
set rule = 'Checks', verdict = 'unknown', found = $found, source = $source,
    needed = 'checks under the new label: delete this result, upload its logs again and say the label before saving'
where upload_id = $upload and result_id = $result and position = 0;
