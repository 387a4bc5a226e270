"""The measures of a crosstab export, as its lines are labelled (measures.toml)."""

from mlperf.catalog_files import Entry, fold


class Measures:
    """Labels of lines, compared as a whole: nothing is told from a word within one."""

    def __init__(self, file: Entry) -> None:
        self.results = file.texts("results")
        """The labels of lines that hold results, the usual one first."""
        others, aggregations = file.texts("others"), file.texts("aggregations")
        file.close()
        if not self.results:
            raise file.wrong("no label is one of results")
        self._results = frozenset(map(fold, self.results))
        aggregated = {f"{word} {name}" for word in aggregations for name in (*others, *self.results)}
        self._names = self._results | frozenset(map(fold, {*others, *aggregated}))

    def is_known(self, label: str) -> bool:
        """Whether a cell is the name of a measure."""
        return fold(label) in self._names

    def is_result(self, label: str) -> bool:
        """Whether a cell is the label of a line of results."""
        return fold(label) in self._results
