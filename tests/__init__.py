"""The tests: the rooms mirrored, plus golden/ property/ app/ browser/ bench/ and the fences (rooms, docs)."""
