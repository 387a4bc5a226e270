-- Everything of one upload.
delete from own.results where upload_id = $upload;
delete from own.systems where upload_id = $upload;
delete from own.runs where upload_id = $upload;
delete from own.sheets where upload_id = $upload;
delete from own.sightings where upload_id = $upload;
delete from own.problems where upload_id = $upload;
delete from own.measurements where upload_id = $upload;
delete from own.checks where upload_id = $upload;
delete from own.uploads where upload_id = $upload;
