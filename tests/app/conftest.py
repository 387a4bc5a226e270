"""The small snapshots of these tests count as the one that came with Roundtable."""

import pytest

from loaders import snapshot


@pytest.fixture(autouse=True)
def released(monkeypatch: pytest.MonkeyPatch) -> None:
    """Results of small snapshots are published ones, unless a test says otherwise."""
    monkeypatch.setattr(snapshot, "is_released", lambda _folder: True)


@pytest.fixture
def made_elsewhere(monkeypatch: pytest.MonkeyPatch, released: None) -> None:
    """Results of small snapshots are those of a snapshot that somebody made."""
    monkeypatch.setattr(snapshot, "is_released", lambda _folder: False)
