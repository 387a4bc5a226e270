-- Every block of every own table is read, which fails where one is damaged.
select bit_xor(hash(uploads)) from own.uploads;
select bit_xor(hash(measurements)) from own.measurements;
select bit_xor(hash(checks)) from own.checks;
select bit_xor(hash(results)) from own.results;
select bit_xor(hash(systems)) from own.systems;
select bit_xor(hash(runs)) from own.runs;
select bit_xor(hash(sheets)) from own.sheets;
select bit_xor(hash(sightings)) from own.sightings;
select bit_xor(hash(problems)) from own.problems;
