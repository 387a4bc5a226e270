-- The start of every question about chosen results (queries.py puts it before the question itself).
-- One row of `judged` is one result in one suite, with `failing`: one bit per filter that the row does not pass, in the
-- order of filters.FILTER_COLUMNS, the search last. A row that passes everything has failing = 0.
-- A filter is a list of texts, '' standing for an empty cell; `search` is a list of words that must all occur.
-- Each line that ends in a filter's name is dropped while that filter is free: to plan all of them takes DuckDB three
-- times as long as to answer.
with judged as (
    select
        results.*,
        results.rowid as row,
        0
        + case when list_contains($round, coalesce(round, '')) then 0 else 1 end  -- round
        + case when list_contains($suite, coalesce(suite, '')) then 0 else 2 end  -- suite
        + case when list_contains($division, coalesce(division, '')) then 0 else 4 end  -- division
        + case when list_contains($availability, coalesce(availability, '')) then 0 else 8 end  -- availability
        + case when list_contains($submitter, coalesce(submitter, '')) then 0 else 16 end  -- submitter
        + case when list_contains($system_id, coalesce(system_id, system_name, '')) then 0 else 32 end  -- system_id
        + case when list_contains($system_name, coalesce(system_name, '')) then 0 else 64 end  -- system_name
        + case when list_contains($server, coalesce(server, '')) then 0 else 128 end  -- server
        + case when list_contains($server_family, coalesce(server_family, '')) then 0 else 256 end  -- server_family
        + case when list_contains($accelerator, coalesce(accelerator, '')) or list_has_any(accelerators, $accelerator) then 0 else 512 end  -- accelerator
        + case when list_contains($accelerator_count, coalesce(accelerator_count::varchar, '')) then 0 else 1024 end  -- accelerator_count
        + case when list_contains($nodes, coalesce(nodes::varchar, '')) then 0 else 2048 end  -- nodes
        + case when list_contains($processor, coalesce(processor, '')) then 0 else 4096 end  -- processor
        + case when list_contains($framework, coalesce(framework, '')) then 0 else 8192 end  -- framework
        + case when list_contains($benchmark, coalesce(benchmark, '')) then 0 else 16384 end  -- benchmark
        + case when list_contains($scenario, coalesce(scenario, '')) then 0 else 32768 end  -- scenario
        + case when list_contains($metric, coalesce(metric, '')) then 0 else 65536 end  -- metric
        + case when list_contains($unit, coalesce(unit, '')) then 0 else 131072 end  -- unit
        + case when list_contains($better, coalesce(better, '')) then 0 else 262144 end  -- better
        + case when list_contains($has_power, coalesce(has_power::varchar, '')) then 0 else 524288 end  -- has_power
        + case when list_contains($inferred, coalesce(inferred::varchar, '')) then 0 else 1048576 end  -- inferred
        + case when list_contains($valid, coalesce(valid::varchar, '')) then 0 else 2097152 end  -- valid
        + case when list_contains($runs, coalesce(runs::varchar, '')) then 0 else 4194304 end  -- runs
        + case when list_contains($public_id, coalesce(public_id, '')) then 0 else 8388608 end  -- public_id
        + case when list_contains($basis, coalesce(basis, '')) then 0 else 16777216 end  -- basis
        + case when list_contains($verified, coalesce(verified::varchar, '')) then 0 else 33554432 end  -- verified
        + case when list_contains($origin, coalesce(origin, '')) then 0 else 67108864 end  -- origin
        + case when list_contains($source, coalesce(source, '')) then 0 else 134217728 end  -- source
        + case when len(list_filter($search, lambda word: not contains(lower(concat_ws(' ', system_id, system_name, submitter, accelerator, benchmark, processor)), lower(word)))) = 0 then 0 else 268435456 end  -- search
        as failing
    from results
)
