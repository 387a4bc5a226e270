-- Own tables with the columns of this version's snapshot, those that they had besides kept.
create or replace table own.results as
select * from own.results union all by name (select * from memory.results limit 0);
create or replace table own.systems as
select * from own.systems union all by name (select * from memory.systems limit 0);
create or replace table own.runs as
select * from own.runs union all by name (select * from memory.runs limit 0);
create or replace table own.sheets as
select * from own.sheets union all by name (select * from memory.sheets limit 0);
create or replace table own.sightings as
select * from own.sightings union all by name (select * from memory.sightings limit 0);
create or replace table own.problems as
select * from own.problems union all by name (select * from memory.problems limit 0);
