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
    training_summary,
)
from loaders.protocol import Format
from loaders.trees import inference, training
from loaders.trees.protocol import Tree
from loaders.unpack import Source
from mlperf.errors import AmbiguousFormat

FORMATS: Final[tuple[Format, ...]] = cast(
    "tuple[Format, ...]",
    (
        summary_results,
        checker_json,
        checker_csv,
        training_summary,
        cm_result,
        export_full_data,
        export_flat,
        export_crosstab,
    ),
)

TREES: Final[tuple[Tree, ...]] = cast("tuple[Tree, ...]", (inference, training))


def tree_of(source: Source) -> Tree | None:
    """The results tree that the file belongs to, by its path; None for a file that stands for itself, and a sheet."""
    if source.container.kind == "workbook":
        return None
    return next((tree for tree in TREES if tree.claims(source)), None)


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
    titles = [*(candidate.TITLE for candidate in FORMATS), *(tree.TITLE for tree in TREES)]
    return f"Roundtable reads {'; '.join(titles)}."
