-- Everything that is made of one result's measurement.
delete from own.results where upload_id = $upload and result_id = $result;
delete from own.measurements where upload_id = $upload and result_id = $result;
delete from own.sightings where upload_id = $upload and result_id = $result;
