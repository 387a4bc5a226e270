"""`measurements/…/*.json`: in which formats of numbers a result was computed."""

from collections.abc import Iterator
from dataclasses import dataclass

from loaders.cells import BadCell, text
from loaders.trees.inference_paths import Place
from loaders.trees.json_object import Unreadable, read_object
from loaders.unpack import Source
from mlperf.errors import Problem, Where


@dataclass(frozen=True)
class Measurements:
    """What one such file states."""

    place: Place
    where: Where
    input_data_types: str | None
    weight_data_types: str | None


def read_measurements(source: Source, place: Place) -> Iterator[Measurements | Problem]:
    """The formats that a file states; a Problem where it is no JSON object. Other files of the folder say nothing."""
    where = Where(source.name)
    read = read_object(source)
    if isinstance(read, Unreadable):
        found = f"{read.reason}, so that it is no file of measurements."
        yield Problem(Where(source.name, read.line), "broken-json", found, "Its data types were left out.")
        return
    yield from read.problems(where, "A data type that stands twice was left out.")
    if not {"weight_data_types", "input_data_types"}.isdisjoint(read.fields):
        types = {name: None if name in read.twice else _types(value) for name, value in read.fields.items()}
        yield Measurements(place, where, types.get("input_data_types"), types.get("weight_data_types"))


def _types(value: object) -> str | None:
    """As written, in one line; a part of the model each where there are several."""
    if isinstance(value, dict):
        value = ", ".join(f"{part}: {types}" for part, types in value.items())
    elif isinstance(value, list):
        value = ", ".join(map(str, value))
    try:
        return text(value)
    except BadCell:
        return None
