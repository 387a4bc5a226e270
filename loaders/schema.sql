-- The tables of a results database. `sightings` is what was read; `results` and `systems` follow from it alone, so that the
-- order of loading does not matter and loading twice changes nothing.

-- One row: one file that figures were read from.
create table if not exists sources (
    source varchar not null,       -- repository at MLCommons or elsewhere, else the file's name
    file varchar not null,         -- the file within it
    origin varchar not null,       -- mlcommons, or the owner of an own result
    commit varchar,
    sha256 varchar primary key,
    licence varchar,
    format varchar not null,       -- names of the formats found in it, joined by a comma
    rows integer not null          -- sightings read from it
);

-- One row: one figure in one place of one source, after normalisation, in one suite.
create table if not exists sightings (
    sighting_id varchar primary key,
    result_id varchar,             -- the result it belongs to; set when results are resolved
    sha256 varchar not null,       -- of the source
    source varchar not null,
    source_path varchar not null,
    line integer,
    format varchar not null,
    rank integer not null,
    origin varchar not null,
    round varchar not null, suite varchar not null, division varchar not null, availability varchar,
    submitter varchar not null, system_id varchar, system_name varchar, server varchar, server_family varchar,
    accelerator varchar, accelerator_raw varchar, accelerator_count integer, nodes integer,
    processor varchar, processors_per_node varchar, processor_cores varchar, framework varchar, operating_system varchar,
    input_data_types varchar, weight_data_types varchar,
    benchmark varchar not null, model varchar, scenario varchar,
    metric varchar not null, value double, unit varchar not null, better varchar not null,
    has_power boolean not null, power_value double, power_unit varchar,
    accuracy varchar, inferred boolean, valid boolean, public_id varchar, location varchar,
    basis varchar not null, runs integer, same_runs varchar,
    tokens_per_second double, samples_per_second double, mean_latency_ms double, -- what a log states besides the score
    measure_lines varchar          -- where these stand in the file
);

-- One row: one result in one suite. The columns to `mean_latency_ms` are those of every file we write, in their order.
create table if not exists results (
    round varchar not null, suite varchar not null, division varchar not null, availability varchar,
    submitter varchar not null, system_id varchar, system_name varchar, server varchar, server_family varchar,
    accelerator varchar, accelerator_count integer, nodes integer, processor varchar, framework varchar,
    benchmark varchar not null, scenario varchar, metric varchar not null, value double not null, unit varchar not null,
    better varchar not null, has_power boolean not null, power_value double, power_unit varchar,
    efficiency double, efficiency_unit varchar, accuracy varchar, inferred boolean, valid boolean, runs integer,
    public_id varchar, basis varchar not null, verified boolean not null, origin varchar not null,
    source varchar not null, source_path varchar not null,
    tokens_per_second double, samples_per_second double, mean_latency_ms double, -- second measures, no official metrics
    result_id varchar not null,    -- the same in both suites of a result that is listed twice
    model varchar,                 -- the open division's own model, where it is not the benchmark's
    accelerators varchar[] not null,
    accelerator_raw varchar,
    location varchar,              -- the result's folder in the repository of its round
    link varchar,
    published date,
    round_index integer not null,
    input_data_types varchar, weight_data_types varchar,
    same_runs varchar,             -- equal for results of the very same runs
    primary key (result_id, suite)
);

-- One row: one system as one round lists it in one suite and division; facts only, no notes.
create table if not exists systems (
    round varchar not null, suite varchar not null, division varchar not null, submitter varchar not null,
    system_id varchar, system_name varchar, availability varchar, server varchar, server_family varchar,
    nodes integer, processor varchar, processors_per_node varchar, processor_cores varchar,
    accelerator varchar, accelerator_raw varchar, accelerator_count integer, framework varchar, operating_system varchar
);

-- One row: one run behind a result of training or HPC, as one source's log has it.
create table if not exists runs (
    result_id varchar,             -- null where its group has no score
    sha256 varchar not null,       -- of the source
    source varchar not null, source_path varchar not null, line integer,
    kind varchar,                  -- training or hpc; null in own runs that an earlier version saved: training
    round varchar not null, division varchar, submitter varchar not null, system_id varchar not null,
    benchmark varchar not null, scenario varchar, location varchar, name varchar not null,
    status varchar not null,       -- success, or why it does not count
    minutes double, is_counted boolean, epochs double, samples double, global_batch_size bigint, seed bigint,
    started_ms bigint, stopped_ms bigint
);

-- One row: one fact of one system's sheet (systems/*.json), as written; no notes and no other prose.
create table if not exists sheets (
    sha256 varchar not null,       -- of the source
    source varchar not null, source_path varchar not null,
    kind varchar not null,         -- training, hpc or inference
    round varchar not null, submitter varchar not null, system_id varchar not null,
    position integer not null,     -- of the field in the file
    field varchar not null, value varchar not null
);

-- One row: one fault found while reading (`sha256` set) or while bringing sources together (`sha256` null).
create table if not exists problems (
    sha256 varchar,
    partition varchar,             -- round and submitter, for faults between sources
    source varchar not null, file varchar not null, line integer,
    kind varchar not null, found varchar not null, fix varchar not null,
    occurrences integer not null
);
