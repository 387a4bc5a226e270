"""Links from an own result to the pages that hold it against the published field, with own results switched on."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from loaders.own import SUBMITTER
from mlperf.answers import scaling
from mlperf.model import OF_RUNS
from mlperf.systems import SystemKey
from ui import link, session

Row = Mapping[str, Any]
"""A result as `queries.results` has it."""


def addresses(row: Row) -> list[tuple[str, str]]:
    """Links that open other pages with own results switched on and this one chosen."""
    key = SystemKey.of(row)
    partner = _partner(key, row)
    beside = [partner.text, key.text] if partner else [key.text]
    explored = {name: row[name] for name in ("round", "suite", "division", "benchmark", "scenario") if row[name]}
    found = [("Compare", _address("compare", {"system": beside})), ("Explore", _address("./", explored))]
    if key.kind in OF_RUNS:
        same = beside if partner and partner.system == key.system else [key.text]
        found.append(("Runs", _address("runs", {"system": same, "benchmark": row["benchmark"]})))
        found += [("Scaling", scaled)] if (scaled := _scaled(row, partner)) else []
    return found


def _address(page: str, parameters: Mapping[str, Any]) -> str:
    return f"{page}?{urlencode({**parameters, link.OWN: link.ON}, doseq=True, quote_via=quote)}"


def _partner(key: SystemKey, row: Row) -> SystemKey | None:
    """A published system to hold an own one against: the same ID in its round, else one with the same accelerator."""
    played = [known for known in session.systems(key.kind).values()
              if known.key.round == key.round and not known.key.submitter.startswith(SUBMITTER)]  # fmt: skip
    same = [known.key for known in played if known.key.system == key.system]
    alike = [known.key for known in played if row["accelerator"] and row["accelerator"].lower() in known.words]
    return next(iter([*same, *alike]), None)


def _scaled(row: Row, partner: SystemKey | None) -> str:
    """The line of published results that an own one could stand in, as a link to Scaling; "" for none."""
    known = session.ask(scaling.known, None)
    machine = row["server"] or row["accelerator"]
    first = partner.submitter if partner else session.SUBMITTER
    published = [one for one in scaling.submitters(known) if not one.startswith(SUBMITTER)]
    for submitter in sorted(published, key=lambda one: one != first):
        if machine in scaling.of_machines(known, submitter, row["round"]):
            choice = scaling.Choice(submitter, row["round"], machine, (row["benchmark"],))
            if row["result_id"] in session.ask_with_own(scaling.swaps, choice):
                chosen = {"submitter": submitter, "server": machine, "round": row["round"],
                          "benchmark": row["benchmark"], "swap": row["result_id"]}  # fmt: skip
                return _address("scaling", chosen)
    return ""
