"""Which systems are one configuration with more and more nodes: rows of results in, families out. No query.

The number of nodes is the system sheet's. A name alone decides nothing, but it tells configurations of one server
apart: `R750xax4A100-PCIE-80GB` and `2xR750xax4A100-PCIE-80GB` belong together, `R750xax4A100-PCIE-80GB-NVBRIDGE` is
another one.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

Row = Mapping[str, Any]
"""A row of `queries.scaling`, None for what is missing."""

MARKS: Final = (
    re.compile(r"^(\d+)x(?=[A-Za-z])"),  # 2xXE8545x4A100-SXM-80GB
    re.compile(r"[_.-](?:n|ngpu)(\d+)(?=[_.-]|$)", re.IGNORECASE),  # dgxa100_n160_ngc22.04_pytorch, HLS-1H-N16
    re.compile(r"[_.-](\d+)n(?=[_.-]|$)", re.IGNORECASE),  # HPE-ProLiant-XL675d-Gen10-Plus_A100-SXM-80GB_16N_mxnet
    re.compile(r"^(\d+)-nodes?-"),  # 4-nodes-SPR-pytorch
)
"""Where system IDs name a number of nodes, or of all accelerators."""


class Member(NamedTuple):
    """One system of a family."""

    system: str
    nodes: int | None
    accelerators: int | None
    """In the whole system."""
    processor: str | None
    results: tuple[tuple[str, str], ...]
    """(benchmark, result_id) of each."""

    @property
    def benchmarks(self) -> frozenset[str]:
        """What it has results of."""
        return frozenset(benchmark for benchmark, _ in self.results)


@dataclass(frozen=True)
class Family:
    """Systems of one submission that differ by their number of nodes, fewest nodes first."""

    suite: str
    round: str
    round_index: int
    division: str
    submitter: str
    machine: str
    """The server; the accelerator, or else the processor, where the catalog does not know the server."""
    accelerator: str | None
    accelerators_per_node: float | None
    framework: str | None
    members: tuple[Member, ...]
    is_published: bool = True
    """Whether its results are: an owner's unverified ones are a family of their own."""

    @property
    def name(self) -> str:
        """Its smallest system's ID, with the division where that is not closed; no other family of the round has it."""
        suffix = "" if self.division == "closed" else f" ({self.division})"
        return f"{self.members[0].system}{suffix}"

    def is_like(self, row: Row) -> bool:
        """Whether a result, whoever made it, is of this round, division and machine, with as many accelerators each."""
        nodes, chips = row["nodes"], row["accelerator_count"]
        return (row["suite"], row["round"], row["division"], _machine(row), row["accelerator"]) == (
            self.suite, self.round, self.division, self.machine, self.accelerator
        ) and (chips / nodes if nodes and chips else None) == self.accelerators_per_node  # fmt: skip

    def node_counts(self, benchmark: str | None = None) -> tuple[int, ...]:
        """The numbers of nodes with a result in the benchmark, in any for None, smallest first."""
        found = {member.nodes for member in self.members if benchmark is None or benchmark in member.benchmarks}
        return tuple(sorted(count for count in found if count))

    def scaled(self) -> frozenset[str]:
        """The benchmarks with results on several numbers of nodes."""
        benchmarks = frozenset().union(*(member.benchmarks for member in self.members))
        return frozenset(one for one in benchmarks if len(self.node_counts(one)) > 1)


def families(rows: Iterable[Row]) -> tuple[Family, ...]:
    """All families of these results, newest round first; one system may be a family of its own.

    A family has one submitter, round, division, server, accelerator, accelerators per node and software. Servers that
    the catalog does not know are told apart by processor and name only where several have one number of nodes.
    """
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(_key(row), []).append(row)
    found = [_family(part) for group in groups.values() for part in _parted(group)]
    return tuple(sorted(found, key=lambda one: (-one.round_index, one.submitter, one.machine, one.name)))


def stem(system: str, nodes: int | None, accelerators: int | None) -> str:
    """A system's ID without its number of nodes (or of all accelerators): equal for all sizes of one configuration."""
    for mark in MARKS:
        system = mark.sub(lambda found: "" if int(found[1]) in (nodes, accelerators) else found[0], system)
    return system


def named_nodes(system: str, nodes: int | None, accelerators: int | None) -> int | None:
    """The number in a system's ID where it contradicts the sheet's nodes and accelerators; None where it does not."""
    numbers = [int(found[1]) for mark in MARKS for found in mark.finditer(system)]
    return numbers[0] if nodes and numbers and not {nodes, accelerators} & {*numbers} else None


def folded(text: str | None) -> str:
    """A text as comparisons see it: `NGC Pytorch 23.04` is `NGC PyTorch 23.04`."""
    return "".join((text or "").casefold().split())


def _key(row: Row) -> tuple[Any, ...]:
    nodes, accelerators = row["nodes"], row["accelerator_count"]
    return (
        *(row[name] for name in ("suite", "round", "division", "submitter")),
        _machine(row),
        row["accelerator"],
        accelerators / nodes if nodes and accelerators else None,
        folded(row["framework"]),
    )


def _machine(row: Row) -> str:
    return row["server"] or row["accelerator"] or row["processor"] or "no accelerator"


def _parted(rows: Sequence[Row]) -> list[list[Row]]:
    """The rows of one configuration each."""
    if rows[0]["server"]:
        return _by(rows, _stem)
    if not _clashes(rows):
        return [list(rows)]
    parts = _by(rows, lambda row: folded(row["processor"]))
    return [small for part in parts for small in (_by(part, _stem) if _clashes(part) else [part])]


def _stem(row: Row) -> str:
    return stem(row["system"], row["nodes"], row["accelerator_count"]).casefold()


def _clashes(rows: Sequence[Row]) -> bool:
    """Whether two systems of one number of nodes ran the same benchmark."""
    places: dict[tuple[Any, ...], set[str]] = {}
    for row in rows:
        places.setdefault((row["nodes"], row["benchmark"]), set()).add(row["system"])
    return any(len(systems) > 1 for systems in places.values())


def _by(rows: Sequence[Row], name: Any) -> list[list[Row]]:
    parts: dict[str, list[Row]] = {}
    for row in rows:
        parts.setdefault(name(row), []).append(row)
    return list(parts.values())


def _family(rows: Sequence[Row]) -> Family:
    systems: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        place = (row["nodes"] or 0, row["system"], row["accelerator_count"] or 0)
        systems.setdefault(place, []).append(row)
    first = rows[0]
    return Family(
        first["suite"],
        first["round"],
        first["round_index"],
        first["division"],
        first["submitter"],
        _machine(first),
        first["accelerator"],
        first["accelerator_count"] / first["nodes"] if first["nodes"] and first["accelerator_count"] else None,
        first["framework"],
        tuple(
            Member(
                system, nodes or None, accelerators or None, group[0]["processor"],
                tuple((row["benchmark"], row["result_id"]) for row in group),
            )
            for (nodes, system, accelerators), group in sorted(systems.items())
        ),
        first.get("verified") is not False,
    )  # fmt: skip
