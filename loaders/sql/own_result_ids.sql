-- The results that an upload has.
select distinct result_id from own.results where upload_id = $upload;
