"""Systems as links and lists name them: the same system ID may occur in several rounds and of several submitters."""

from collections.abc import Mapping
from typing import Any, NamedTuple, cast, get_args
from urllib.parse import quote

from mlperf.facts import facts
from mlperf.model import Kind


class SystemKey(NamedTuple):
    """One system under test of one submission; `system` is its ID, or its name where the tables give no ID."""

    kind: Kind
    round: str
    submitter: str
    system: str

    @property
    def text(self) -> str:
        """As links have it: `inference-v3.1/Dell/XR7620_L4x1_TRT`."""
        return f"{self.kind}-{self.round}/{self.submitter}/{self.system}"

    @property
    def address(self) -> str:
        """Where the system's page is, seen from any other page."""
        return f"system?system={quote(self.text, safe='')}"

    @property
    def label(self) -> str:
        """As lists have it: `XR7620_L4x1_TRT · Dell · Inference v3.1`."""
        return f"{self.system} · {self.submitter} · {facts().kind_name(self.kind)} {self.round}"

    @staticmethod
    def parse(text: str) -> "SystemKey | None":
        """The key that a link names; None for what is none."""
        played, _, rest = text.partition("/")
        submitter, _, system = rest.partition("/")
        kind, _, round_id = played.partition("-")
        if kind not in get_args(Kind) or not (round_id and submitter and system):
            return None
        return SystemKey(cast(Kind, kind), round_id, submitter, system)

    @staticmethod
    def of(row: Mapping[str, Any]) -> "SystemKey":
        """Whose result a row of the results is."""
        system = row["system_id"] or row["system_name"] or ""
        return SystemKey(facts().kind(row["suite"]), row["round"], row["submitter"], system)


def short_names(keys: list[SystemKey]) -> dict[SystemKey, str]:
    """What tells the systems of one chart apart: the system alone, with round or submitter where it takes them."""
    names = {}
    for key in keys:
        twins = [other for other in keys if other.system == key.system]
        parts = [key.system]
        parts += [key.submitter] if len({twin.submitter for twin in twins}) > 1 else []
        parts += [key.round] if len({twin.round for twin in twins}) > 1 else []
        parts += [key.kind] if len({twin.kind for twin in twins}) > 1 else []
        names[key] = " · ".join(parts)
    return names
