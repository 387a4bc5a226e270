-- How many results $owner keeps, one of two suites once.
select count(distinct (upload_id, result_id)) from own.results join own.uploads using (upload_id) where owner = $owner;
