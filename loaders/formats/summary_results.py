"""`summary_results.json` in the root of an inference results repository, v4.1 and later: an array of records.

A record holds a performance result and, where it was measured, the power beside it. What a field holds is told by its
name alone: a record without `Performance_Result` or `Performance_Units` gives no figure.
"""

from collections.abc import Iterator
from typing import Final

from loaders.fields import Fields
from loaders.json_records import Record, first_keys, json_records
from loaders.protocol import Parsed
from loaders.unpack import Source
from mlperf.model import Measurement

NAME: Final = "summary-results"
TITLE: Final = "`summary_results.json` of an inference results repository (v4.1 and later)"
RANK: Final = 0


def recognises(source: Source) -> bool:
    """JSON records with a performance result and its units."""
    bracket, keys = first_keys(source)
    return bool(bracket) and keys >= {"Submitter", "Platform", "Performance_Result", "Performance_Units"}


def parse(source: Source) -> Iterator[Parsed]:
    """One measurement per record."""
    for record in json_records(source):
        if not isinstance(record, Record):
            yield record
            continue
        fields = Fields(record.where, record.fields)
        yield _measurement(fields)
        yield from fields.problems


_TEXTS: Final = {
    "round": "version",
    "suites": "Suite",
    "division": "Category",
    "availability": "Availability",
    "submitter": "Submitter",
    "system_id": "Platform",
    "system_name": "System",
    "accelerator": "Accelerator",
    "accelerators_per_node": "a#",
    "accelerators_total": "Total Accelerators",
    "nodes": "Nodes",
    "processor": "Processor",
    "processor_cores": "host_processor_core_count",
    "framework": "Software",
    "operating_system": "operating_system",
    "weight_data_types": "weight_data_types",
    "model": "UsedModel",
    "benchmark": "Model",
    "scenario": "Scenario",
    "unit": "Performance_Units",
    "power_unit": "Power_Units",
    "accuracy": "Accuracy",
    "public_id": "ID",
    "location": "Location",
}
"""Fields of a measurement, and the table's columns."""


def _measurement(fields: Fields) -> Measurement:
    errors = fields.number("errors")
    described: dict[str, object] = {
        **fields.texts(_TEXTS),
        "processors_per_node": fields.text("host_processors_per_node", "p#"),
        "value": fields.number("Performance_Result"),
        "has_power": bool(fields.flag("has_power")),
        "power_value": fields.number("Power_Result"),
        "inferred": fields.flag("inferred"),
        "valid": None if errors is None else errors == 0,
    }
    return Measurement(fields.where, "inference", **described)  # type: ignore[arg-type]  # its fields, as named above
