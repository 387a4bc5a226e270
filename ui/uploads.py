"""Uploaded files for those who read them: where each lies on disk, and what its owner calls it.

How they come there, and the limits, are `ui.receiving`'s; what a file means is for `loaders` to say.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from streamlit.runtime.uploaded_file_manager import UploadedFile

from loaders.limits import tidy_name
from mlperf.errors import DashboardError
from ui import receiving

NAME_CHARACTERS: Final = 255
"""What of a name's parts is kept for people to read; a file system has no longer ones."""


@dataclass(frozen=True)
class Upload:
    """One uploaded file as a reader gets it."""

    path: Path
    """Where it lies until the `with` of `on_disk` ends; its name is a random token."""
    name: str
    """What its owner calls it, tidied, with `/` between folders: for people and for telling formats, never a path."""
    size: int
    """Bytes; `UploadedFile.size` is that of the receipt."""


@contextmanager
def on_disk(uploaded: UploadedFile | Sequence[UploadedFile]) -> Iterator[list[Upload]]:
    """The files of one `st.file_uploader` (also of `accept_multiple_files=True` and `"directory"`) as files on disk.

    In the order given. They are deleted when the `with` ends, also with an exception; a file can be read so once.
    Only where the `with` is torn off from outside (Streamlit stops a script at the next click) do they stay for another
    try. No call of Streamlit in here: it works in any thread, and long reading belongs in one of its own.
    What nobody reads goes when its owner removes it or leaves. Raises `DashboardError` where a file is gone already.
    """
    files = [uploaded] if isinstance(uploaded, UploadedFile) else list(uploaded)
    taken: list[receiving.Held] = []
    is_torn_off = False
    try:
        for file in files:
            taken.append(_taken(file))
        yield [Upload(held.path, _name(file.name), held.size) for file, held in zip(files, taken, strict=True)]
    except Exception:
        raise
    except BaseException:
        is_torn_off = True
        raise
    finally:
        for held in taken:
            if is_torn_off:
                receiving.shelf().keep(held)
            else:
                receiving.shelf().delete(held)


def _taken(file: UploadedFile) -> receiving.Held:
    """The file on disk of what Streamlit holds; outside of the server (in AppTest) that is the content itself."""
    content = file.getvalue()
    if not re.fullmatch(receiving.RECEIPT + rb"[0-9a-f]{64}", content):
        return receiving.shelf().write(content)
    if held := receiving.shelf().take(content):
        return held
    raise DashboardError("The upload is no longer on this server.", _name(file.name), "Choose the file again.")


def _name(name: str) -> str:
    parts = [part for part in tidy_name(name).split("/") if part != ".."]
    return "/".join(part if len(part) <= NAME_CHARACTERS else f"{part[: NAME_CHARACTERS - 1]}…" for part in parts)
