"""The columns that MLCommons' tables of training results share: those of `mlperf_logging.result_summarizer`.

Not a format of its own. The tables of cm4mlperf-results were made from the summarizer's.
Source: mlcommons/logging, mlperf_logging/result_summarizer/result_summarizer.py: _get_column_schema, _details_url.
"""

import re
from typing import Final

from loaders.fields import Fields
from mlperf.model import Kind, Measurement

_REPOSITORY: Final = re.compile(r"(training|hpc)_results_(v\d+\.\d+)", re.ASCII)


def results_repository(url: str) -> tuple[str, str] | None:
    """The usage and the round of the results repository that a link leads to: (`training`, `v3.0`); None for no such.

    A part of the path has to be the repository's name as a whole.
    """
    names = filter(None, map(_REPOSITORY.fullmatch, url.split("/")))
    return next(((name[1], name[2]) for name in names), None)


def system_id(fields: Fields) -> str | None:
    """`system` is a display name that machines of different size share; the file in `details_url` tells them apart."""
    details = fields.text("details_url") or ""
    return details.rpartition("/")[2].removesuffix(".json") or fields.text("system")


def measurement(fields: Fields, kind: Kind, benchmark: str, **figure: object) -> Measurement:
    """The figure of one benchmark in a row; `figure` gives round, value, unit, energy and scaling."""
    submitter = fields.text("submitter", "Organization")
    system = system_id(fields)
    scaling = str(figure.get("scenario") or "")
    described: dict[str, object] = {
        "division": fields.text("division"),
        "availability": fields.text("availability"),
        "submitter": submitter,
        "system_id": system,
        "system_name": fields.text("system"),
        "accelerator": fields.text("accelerator_model_name"),
        "accelerators_total": fields.text("accelerators_count"),
        "nodes": fields.text("number_of_nodes"),
        "processor": fields.text("host_processor_model_name"),
        "framework": fields.text("framework"),
        "benchmark": benchmark,
        "location": "/".join(filter(None, [str(submitter), "results", str(system), scaling, benchmark])),
        **figure,
    }
    return Measurement(fields.where, kind, **described)  # type: ignore[arg-type]  # its fields, as named above
