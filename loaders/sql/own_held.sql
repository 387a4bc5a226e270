-- How many results $owner keeps, one of two suites once, and how many groups of runs that have none.
select count(*) from (
    select upload_id, result_id as part from own.results join own.uploads using (upload_id) where owner = $owner
    union
    select upload_id, location from own.runs join own.uploads using (upload_id) where owner = $owner and result_id is null
);
