"""The submission checker's own column names, which its `summary.csv`, `summary.json` and the cm tables share.

Not a format of its own. Each field has one column, told by its exact name; "Result" is the score that the checker took,
in "Units". Source: mlcommons/inference `tools/submission`, the checker of each round (its `compilance` was
spelt so until v3.0; v6.x adds `total_accelerators`, `design_power_watts` and `PrivateID`).
"""

from collections.abc import Mapping
from typing import Final

from loaders.fields import SYSTEM_FIELDS, Fields
from mlperf.model import Measurement

COLUMNS: Final = frozenset({"Organization", "Division", "SystemType", "Platform", "MlperfModel", "Scenario", "Result"})


_TEXTS: Final = {
    "round": "version",
    "suites": "SystemType",
    "division": "Division",
    "availability": "Availability",
    "submitter": "Organization",
    "system_id": "Platform",
    "system_name": "SystemName",
    **SYSTEM_FIELDS,
    "accelerators_total": "total_accelerators",
    "weight_data_types": "weight_data_types",
    "model": "Model",
    "benchmark": "MlperfModel",
    "scenario": "Scenario",
    "unit": "Units",
    "accuracy": "Accuracy",
    "location": "Location",
}
"""Fields of a measurement, and the checker's columns."""

READ: Final = frozenset({*COLUMNS, *_TEXTS.values(), "errors", "has_power", "inferred"})
"""Every column that is read."""


def measurement(fields: Fields, known: Mapping[str, object]) -> Measurement:
    """One record with the checker's column names as an inference measurement; `known` replaces what the record says."""
    errors = fields.number("errors")
    described: dict[str, object] = {
        **fields.texts(_TEXTS),
        "value": fields.number("Result"),
        "has_power": bool(fields.flag("has_power")),
        "inferred": fields.flag("inferred"),
        "valid": None if errors is None else errors == 0,
        **known,
    }
    return Measurement(fields.where, "inference", **described)  # type: ignore[arg-type]  # its fields, as named above
