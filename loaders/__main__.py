"""The command line: `python -m loaders load | snapshot | export`.

Standard output is the report or the data; standard error is narration and faults. Exit 0 when something was stored or
written, 2 when nothing could be.
"""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Final

from tqdm import tqdm

from loaders import labels, manifest, registry, snapshot, store
from loaders.ingest import OWN, SourceReport, load
from loaders.processes import started
from loaders.report import lines
from loaders.resolve import MLCOMMONS
from loaders.trees.protocol import Label
from loaders.unlabelled import option
from loaders.unpack import OnProgress
from mlperf import export, queries
from mlperf.errors import DashboardError
from mlperf.filters import FILTER_COLUMNS, Filters, as_text, from_text

FAILED: Final = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except DashboardError as fault:
        print(fault, file=sys.stderr)
        return FAILED
    except BrokenPipeError:  # the reader of standard output has seen enough, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m loaders", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True)
    into = commands.add_parser("load", help="load results into a database file", description=registry.accepted())
    into.add_argument("path", nargs="+", type=Path, help="a file, a folder, a .zip, a .tar.gz or an .xlsx")
    into.add_argument("--into", required=True, type=Path, metavar="FILE.duckdb", help="made where there is none")
    into.add_argument(
        "--origin",
        default=OWN,
        metavar="OWNER",
        help=f"whose results they are (default: {OWN}, unverified); {MLCOMMONS}: MLCommons published them",
    )
    said = into.add_argument_group("what logs do not say", "Comes before what folders and systems/*.json say.")
    for field in fields(Label):
        said.add_argument(option(field.name), metavar="TEXT")
    into.add_argument("--all", action="store_true", help="list every problem and every file that was left aside")
    _add_jobs(into)
    into.set_defaults(run=_load)
    built = commands.add_parser("snapshot", help="build the embedded snapshot")
    built.add_argument(
        "--from",
        dest="folders",
        nargs="+",
        required=True,
        type=Path,
        metavar="DIR",
        help="folders of MLCommons' tables and results repositories",
    )
    built.add_argument(
        "--to", type=Path, default=manifest.DATA, metavar="DIR", help="where the Parquet files go (data/)"
    )
    _add_jobs(built)
    built.set_defaults(run=_snapshot)
    out = commands.add_parser(
        "export", help="write results", description="Filters are named like columns and repeat for several values."
    )
    out.add_argument(
        "--from",
        dest="database",
        type=Path,
        metavar="FILE.duckdb",
        help="a file made by `load` (default: the embedded snapshot)",
    )
    out.add_argument("--format", choices=sorted(export.MEDIA_TYPES), default="csv")
    out.add_argument("-o", "--output", type=Path, metavar="FILE", help="default: standard output")
    for column in (*FILTER_COLUMNS, "search"):
        out.add_argument(
            "--" + column.replace("_", "-"), dest=f"filter_{column}", action="append", default=[], metavar="VALUE"
        )
    out.set_defaults(run=_export)
    return parser


def _add_jobs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--jobs", type=_positive, default=1, metavar="N", help="processes that read archives side by side (default: 1)"
    )


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of processes")
    return int(text)


@contextmanager
def _progress(path: Path) -> Iterator[OnProgress]:
    """A bar on a terminal; nothing elsewhere."""
    with tqdm(desc=path.name, unit="B", unit_scale=True, disable=None, leave=False, file=sys.stderr) as bar:

        def advance(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield advance


def _load(options: argparse.Namespace) -> int:
    label = Label(**{field.name: getattr(options, field.name) for field in fields(Label)})
    labels.check(label)
    existed = options.into.exists()
    connection = store.open_database(options.into)
    reports: list[SourceReport] = []
    listed = manifest.read()
    with started(options.jobs) as workers:
        for path in options.path:
            with _progress(path) as progress:
                reports += load(
                    path, connection, listed, on_progress=progress, origin=options.origin, workers=workers, label=label
                )
    connection.close()
    command = [sys.orig_argv[0], "-m", "loaders", "load", *map(str, options.path), "--into", str(options.into)]
    command += ["--origin", options.origin] if options.origin != OWN else []
    command += ["--jobs", str(options.jobs)] if options.jobs > 1 else []
    command += ["--all"] if options.all else []
    for field in fields(Label):
        command += [option(field.name), text] if (text := getattr(label, field.name)) else []
    text = "\n".join(lines(reports, command, is_whole=options.all))
    if any(report.is_loaded for report in reports):
        print(text)
        return 0
    if not existed:
        options.into.unlink(missing_ok=True)
    print(f"{text}\nNothing was stored.", file=sys.stderr)
    return FAILED


def _snapshot(options: argparse.Namespace) -> int:
    reports = snapshot.build(options.folders, options.to, manifest.read(), _progress, options.jobs)
    print("\n".join(lines(reports, [])))
    for table in snapshot.TABLES:
        print(f"{options.to / table}.parquet: {(options.to / f'{table}.parquet').stat().st_size:,} bytes")
    return 0


def _export(options: argparse.Namespace) -> int:
    filters = Filters(search=" ".join(options.filter_search))
    for column in FILTER_COLUMNS:
        filters = filters.choose(column, [from_text(column, text) for text in getattr(options, f"filter_{column}")])
    connection = store.open_to_read(options.database) if options.database else snapshot.open_snapshot()
    for column, known in queries.known_values(connection).items():
        for value in filters.chosen(column):
            if value not in known:
                print(f"No result has {column} {as_text(value)!r}.", file=sys.stderr)
    data = export.write(queries.export_rows(connection, filters), options.format)
    if options.output:
        try:
            options.output.write_bytes(data)
        except OSError as fault:
            raise DashboardError(f"cannot be written ({fault.strerror}).", str(options.output)) from fault
    else:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
