-- The tables of a catalog of own results, made where they are missing and widened where a version before had fewer columns.
-- Those that the snapshot has, too, follow its columns, with the upload that a row is of.

-- One row: one upload of one owner.
create table if not exists own.uploads (
    upload_id varchar not null,    -- of its owner and its content
    owner varchar not null,
    title varchar not null,        -- the owner's name for it; one owner has none twice
    name varchar not null,         -- of the file or folder that was uploaded
    sha256 varchar not null,       -- of its content
    bytes bigint not null,
    note varchar not null,
    is_shared boolean not null,    -- seen by everybody where people log in
    saved timestamp not null       -- UTC
);
-- One row: one result of an upload as its logs give it, to be labelled anew.
create table if not exists own.measurements (
    upload_id varchar not null,
    result_id varchar not null,
    format varchar not null,
    rank integer not null,
    measurement varchar not null   -- model.Measurement as JSON, with the owner's labels
);
-- One row: one rule that a result, or a group of logs without a score, is held against.
create table if not exists own.checks (
    upload_id varchar not null,
    result_id varchar,             -- null where the logs give no score
    group_name varchar not null,   -- the folder or lone log
    position integer not null,
    rule varchar not null, verdict varchar not null, found varchar not null, needed varchar not null,
    file varchar not null, line integer, source varchar not null
);
create table if not exists own.results as select *, null::varchar as upload_id from memory.results limit 0;
create table if not exists own.systems as select *, null::varchar as upload_id from memory.systems limit 0;
create table if not exists own.runs as select *, null::varchar as upload_id from memory.runs limit 0;
create table if not exists own.sheets as select *, null::varchar as upload_id from memory.sheets limit 0;
create table if not exists own.sightings as select *, null::varchar as upload_id from memory.sightings limit 0;
create table if not exists own.problems as select *, null::varchar as upload_id from memory.problems limit 0;
