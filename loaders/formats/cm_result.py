"""`cm-result.json` of mlcommons/cm4mlperf-results: flat lists of results per suite, division, task and scenario.

Inference records have the submission checker's names; the same result stands in several files, and in v4.0 and v4.1
power stands in records of its own. A training record shows one benchmark under `Result` and every benchmark of its
system in a column of its own: all of them are read, because some (unet3d, dlrm_dcnv2) stand only there.

A record is of inference if it has `MlperfModel`; one without units gives no figure. A column of a training record is of
a benchmark if its name is the benchmark's id. Where it and `Result` differ, neither is taken.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from loaders.fields import Fields
from loaders.formats import checker, training_columns
from loaders.json_records import Record, first_keys, json_records
from loaders.protocol import Parsed
from loaders.unpack import Source
from mlperf.errors import Problem
from mlperf.facts import facts

NAME: Final = "cm-result"
TITLE: Final = "`cm-result.json` of cm4mlperf-results (inference and training)"
RANK: Final = 30

_TRAINING: Final = frozenset({"uid", "Model_ID", "Result", "Result_Units", "details_url"})


def recognises(source: Source) -> bool:
    """JSON records with the `uid` of the cm tables and the columns of either suite."""
    bracket, keys = first_keys(source)
    return bool(bracket) and "uid" in keys and (keys >= checker.COLUMNS or keys >= _TRAINING)


def parse(source: Source) -> Iterator[Parsed]:
    """One measurement per inference record, one per filled benchmark column of a training record."""
    for record in json_records(source):
        if not isinstance(record, Record):
            yield record
        elif "MlperfModel" in record.fields:
            yield from _inference(record)
        else:
            yield from _training(record)


def _inference(record: Record) -> Iterator[Parsed]:
    fields = Fields(record.where, record.fields)
    power = {"power_value": fields.number("Result_Power"), "power_unit": fields.text("Result_Power_Units")}
    if fields.number("Result") is None and power["power_unit"] is None:
        power["power_unit"] = fields.text("Units")
    yield checker.measurement(fields, power)
    yield from fields.problems


def _training(record: Record) -> Iterator[Parsed]:
    fields = Fields(record.where, record.fields)
    shown = fields.text("Model_ID")
    benchmarks = dict.fromkeys([*([shown] if shown else []), *_benchmark_columns(record.fields)])
    for benchmark in benchmarks:
        value = fields.number(benchmark)
        if benchmark == shown:
            result = fields.number("Result")
            if value is not None and result is not None and value != result:
                found = f'"Result" is {result} but column "{benchmark}" is {value}.'
                yield Problem(record.where, "columns-differ", found, "Neither was taken.")
                continue
            value = result if result is not None else value
        if value is not None:
            round_, unit = fields.text("version"), fields.text("Result_Units")
            yield training_columns.measurement(fields, "training", benchmark, round=round_, value=value, unit=unit)
    yield from dict.fromkeys(fields.problems)


def _benchmark_columns(names: Iterable[str]) -> list[str]:
    known = ((name, facts().benchmark("training", name, None)) for name in names)
    return [name for name, benchmark in known if benchmark is not None and benchmark.id == name]
