"""The tests: the rooms mirrored, plus golden/ property/ app/ browser/ bench/ and the fences (rooms, docs).

Where things are stands here, as it needs no other import: a bench's processes start as light as the loaders' own.
"""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared" / "mlcommons"
