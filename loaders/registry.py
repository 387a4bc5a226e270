"""Every format there is, and which of them a source is of."""

from typing import Final, cast

from loaders.formats import (
    checker_csv,
    checker_json,
    cm_result,
    export_crosstab,
    export_flat,
    export_full_data,
    summary_results,
)
from loaders.protocol import Format
from loaders.unpack import Source
from mlperf.errors import AmbiguousFormat

FORMATS: Final[tuple[Format, ...]] = cast(
    "tuple[Format, ...]",
    (summary_results, checker_json, checker_csv, cm_result, export_full_data, export_flat, export_crosstab),
)


def detect(source: Source) -> Format | None:
    """The one format that claims the source; None where none does. Raises `AmbiguousFormat` where two do."""
    claims = [candidate for candidate in FORMATS if candidate.recognises(source)]
    if len(claims) > 1:
        names = " and ".join(candidate.TITLE for candidate in claims)
        raise AmbiguousFormat(
            f"is claimed as {names}.", source.name, "Please report this file as a fault of Roundtable."
        )
    return claims[0] if claims else None


def accepted() -> str:
    """What can be loaded, in one sentence."""
    return "Roundtable reads " + "; ".join(candidate.TITLE for candidate in FORMATS) + "."
