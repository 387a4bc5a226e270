-- One upload that $owner sees; no row for none.
select upload_id from own.uploads where owner = $owner or (is_shared and $with_shared) limit 1;
