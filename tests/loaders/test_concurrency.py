"""Many threads ask while one loads: every answer is the state before or after a whole source."""

import threading
from pathlib import Path

import duckdb

from loaders import store
from loaders.ingest import load
from loaders.manifest import Manifest
from mlperf import queries
from mlperf.filters import Filters
from tests.loaders.making import load_files, summary, write

THREADS = 32
SOURCES = 4
PER_SOURCE = 10


def source(number: int) -> list[dict[str, object]]:
    """All of one source says the same number, so that a mixture shows."""
    return [
        summary(
            Submitter=f"S{number % 3}",
            Platform=f"p{number}-{place}",
            Performance_Result=number + 1.5,  # no count of its system
            Nodes=number + 1,
        )
        for place in range(PER_SOURCE)
    ]


def test_answers_while_a_source_is_loaded_are_whole(database: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    load_files(database, tmp_path, {"first.json": source(0)})
    paths = write(tmp_path, {f"{number}.json": source(number) for number in range(1, SOURCES)})
    ended, faults, torn, asked = threading.Event(), [], [], []

    def ask(thread: int) -> None:
        filters = Filters() if thread % 2 else Filters(division=("closed",), search="acme")
        latest = 0
        try:
            while not ended.is_set() or not asked:
                found = queries.results(database, filters)
                values = found.column("value").to_pylist()
                whole = sorted(values) == sorted(1.5 + place // PER_SOURCE for place in range(len(values)))
                asked.append(len(values))
                if not whole or len(values) % PER_SOURCE or len(values) < latest:
                    torn.append(values)
                latest = len(values)
                facets = queries.facets(database, filters)
                if any(count % PER_SOURCE for count in facets["accelerator_count"].values()):
                    torn.append(facets["accelerator_count"])
        except Exception as fault:  # noqa: BLE001  # whatever it is, the test must fail with it
            faults.append(fault)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    reports = [report for path in paths for report in load(path, database, Manifest())]
    ended.set()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert faults == []
    assert torn == []
    assert [report.new for report in reports] == [PER_SOURCE] * (SOURCES - 1)
    assert len(set(asked)) > 1, "the threads asked only before or only after the loading"
    assert queries.results(database, Filters()).num_rows == SOURCES * PER_SOURCE


def test_a_reader_that_began_before_a_load_keeps_its_state(tmp_path: Path) -> None:
    with store.open_database(None) as database:
        load_files(database, tmp_path, {"a.json": source(0)})
        reader = database.cursor()
        reader.begin()
        before = reader.execute("select count(*) from results").fetchone()
        load_files(database, tmp_path, {"b.json": source(1)})
        assert reader.execute("select count(*) from results").fetchone() == before == (PER_SOURCE,)
        reader.rollback()
        assert reader.execute("select count(*) from results").fetchone() == (2 * PER_SOURCE,)
