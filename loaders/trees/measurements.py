"""`measurements/…/*.json`: in which formats of numbers a result was computed."""

from collections.abc import Iterator
from dataclasses import dataclass

from loaders.cells import BadCell, text
from loaders.trees.inference_paths import Place
from loaders.trees.json_object import read_object
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
    said = read_object(source)
    if said is None:
        yield Problem(where, "broken-json", "is no JSON object of measurements.", "Its data types were left out.")
    elif "weight_data_types" in said or "input_data_types" in said:
        yield Measurements(place, where, _types(said.get("input_data_types")), _types(said.get("weight_data_types")))


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
