"""`summary_results.json` in the root of an inference results repository, v4.1 and later: an array of records.

A record holds a performance result and, where it was measured, the power beside it.
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


def _measurement(fields: Fields) -> Measurement:
    errors = fields.number("errors")
    return Measurement(
        where=fields.where,
        kind="inference",
        round=fields.text("version"),
        suites=fields.text("Suite"),
        division=fields.text("Category"),
        availability=fields.text("Availability"),
        submitter=fields.text("Submitter"),
        system_id=fields.text("Platform"),
        system_name=fields.text("System"),
        accelerator=fields.text("Accelerator"),
        accelerators_per_node=fields.text("a#"),
        accelerators_total=fields.text("Total Accelerators"),
        nodes=fields.text("Nodes"),
        processor=fields.text("Processor"),
        processors_per_node=fields.text("host_processors_per_node", "p#"),
        processor_cores=fields.text("host_processor_core_count"),
        framework=fields.text("Software"),
        operating_system=fields.text("operating_system"),
        weight_data_types=fields.text("weight_data_types"),
        model=fields.text("UsedModel"),
        benchmark=fields.text("Model"),
        scenario=fields.text("Scenario"),
        value=fields.number("Performance_Result"),
        unit=fields.text("Performance_Units"),
        has_power=bool(fields.flag("has_power")),
        power_value=fields.number("Power_Result"),
        power_unit=fields.text("Power_Units"),
        accuracy=fields.text("Accuracy"),
        inferred=fields.flag("inferred"),
        valid=None if errors is None else errors == 0,
        public_id=fields.text("ID"),
        location=fields.text("Location"),
    )
