"""The cells of one row or record under their names, and the problems met while reading them."""

from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from loaders.cells import BadCell, Numbers, short_text, text, yes_or_no
from mlperf.errors import Problem, Where

Cell = TypeVar("Cell")

SYSTEM_FIELDS: Final = {
    "accelerator": "accelerator_model_name",
    "accelerators_per_node": "accelerators_per_node",
    "nodes": "number_of_nodes",
    "processor": "host_processor_model_name",
    "processors_per_node": "host_processors_per_node",
    "processor_cores": "host_processor_core_count",
    "framework": "framework",
    "operating_system": "operating_system",
}
"""Fields of a measurement, and their names in a systems JSON, which the submission checker's tables repeat."""


class Fields:
    """Reads cells by name; a cell that makes no sense becomes a `Problem` and reads as None."""

    def __init__(self, where: Where, cells: Mapping[str, object], numbers: Numbers | None = None) -> None:
        self.where = where
        self.problems: list[Problem] = []
        self._cells = cells
        self._numbers = numbers or Numbers()

    def text(self, *names: str) -> str | None:
        """The first of these cells that says something."""
        for name in names:
            found = self._read(name, text)
            if found is not None:
                return found
        return None

    def texts(self, columns: Mapping[str, str]) -> dict[str, str | None]:
        """What the cells of some columns say, under other names: `columns` has the new name first."""
        cells = list(map(self._cells.get, columns.values()))
        if float in map(type, cells):
            cells = [str(cell) if type(cell) is float else cell for cell in cells]
        try:
            return dict(zip(columns, map(short_text, cells), strict=True))
        except TypeError:
            return {new: self.text(name) for new, name in columns.items()}

    def number(self, *names: str) -> float | None:
        """The first of these cells that holds a number."""
        for name in names:
            found = self._read(name, self._numbers.number)
            if found is not None:
                return found
        return None

    def flag(self, name: str) -> bool | None:
        """The cell as yes or no."""
        return self._read(name, yes_or_no)

    def _read(self, name: str, read: Callable[[object], Cell | None]) -> Cell | None:
        cell = self._cells.get(name)
        if cell is None:
            return None
        try:
            return read(cell)
        except BadCell as fault:
            self.problems.append(Problem(self.where, "bad-cell", f"{name}: {fault}.", "The cell was left out."))
            return None
