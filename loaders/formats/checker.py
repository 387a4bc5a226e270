"""The submission checker's own column names, which its `summary.csv`, `summary.json` and the cm tables share.

Not a format of its own. Source: mlcommons/inference `tools/submission`, the checker of each round (its `compilance` was
spelt so until v3.0; v6.x adds `total_accelerators`, `design_power_watts` and `PrivateID`).
"""

from collections.abc import Mapping
from typing import Final

from loaders.fields import Fields
from mlperf.model import Measurement

COLUMNS: Final = frozenset({"Organization", "Division", "SystemType", "Platform", "MlperfModel", "Scenario", "Result"})


def measurement(fields: Fields, known: Mapping[str, object]) -> Measurement:
    """One record with the checker's column names as an inference measurement; `known` replaces what the record says."""
    errors = fields.number("errors")
    described: dict[str, object] = {
        "where": fields.where,
        "kind": "inference",
        "round": fields.text("version"),
        "suites": fields.text("SystemType"),
        "division": fields.text("Division"),
        "availability": fields.text("Availability"),
        "submitter": fields.text("Organization"),
        "system_id": fields.text("Platform"),
        "system_name": fields.text("SystemName"),
        "accelerator": fields.text("accelerator_model_name"),
        "accelerators_per_node": fields.text("accelerators_per_node"),
        "accelerators_total": fields.text("total_accelerators"),
        "nodes": fields.text("number_of_nodes"),
        "processor": fields.text("host_processor_model_name"),
        "processors_per_node": fields.text("host_processors_per_node"),
        "processor_cores": fields.text("host_processor_core_count"),
        "framework": fields.text("framework"),
        "operating_system": fields.text("operating_system"),
        "weight_data_types": fields.text("weight_data_types"),
        "model": fields.text("Model"),
        "benchmark": fields.text("MlperfModel"),
        "scenario": fields.text("Scenario"),
        "value": fields.number("Result"),
        "unit": fields.text("Units"),
        "has_power": bool(fields.flag("has_power")),
        "accuracy": fields.text("Accuracy"),
        "inferred": fields.flag("inferred"),
        "valid": None if errors is None else errors == 0,
        "location": fields.text("Location"),
    }
    return Measurement(**{**described, **known})  # type: ignore[arg-type]  # the names above are those of Measurement
