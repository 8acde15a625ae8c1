"""The page of a run: tables in Markdown and charts, in one folder."""

import datetime as dt
import re

from benchmarks import machine
from benchmarks.claims import CLAIMS, judge
from benchmarks.report import doubts, tables

INTRODUCTION = """\
# Measured

One run of `nox -s benchmarks`; `benchmarks/README.md` explains the tables. Contestants take turns. Each ratio is the
median over rounds; brackets give the quartiles. Written on {day} by `nox -s benchmarks-3.11 -- --page docs/benchmarks`.
"""

FIGURE = re.compile(r"(<!-- measured: (.+?) -->).*?(<!-- end -->)")


def write_page(records, folder):
    """Write page and charts; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    charts = _draw(records, folder)
    page = folder / "results.md"
    parts = [INTRODUCTION.format(day=dt.datetime.now(tz=dt.UTC).date()), _machine()]
    parts += [f"**{words}**\n" for words in doubts(records)]
    parts += [f"![{caption}]({path.name})\n" for path, caption in charts]
    found = [(title, head, rows) for title, head, rows in tables(records) if rows]
    parts += [f"## {title}\n\n{markdown(head, rows)}" for title, head, rows in [found[-1], *found[:-1]]]
    page.write_text("\n".join(parts))
    return [page, *(path for path, _ in charts)]


def fill_figures(records, page):
    """Write the medians of measured claims between the marks of a page: `<!-- measured: CLAIM -->3.5<!-- end -->`.

    A mark that names no claim is an error; the figure of a claim that this run has not measured stays.
    """
    claims = {claim.text: claim for claim in CLAIMS}

    def filled(match):
        if match[2] not in claims:
            raise LookupError(f"{page}: there is no claim {match[2]!r}")
        found = judge(claims[match[2]], records).spread
        return match[0] if found is None else f"{match[1]}{found.median:.2g}{match[3]}"

    page.write_text(FIGURE.sub(filled, page.read_text("utf-8")), "utf-8")


def markdown(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _machine():
    return "".join(f"- {name}: {value}\n" for name, value in machine.description().items())


def _draw(records, folder):
    """Draw the charts, if matplotlib is installed."""
    try:
        from benchmarks import charts  # noqa: PLC0415 - matplotlib may be missing
    except ImportError:
        return []
    return charts.draw(records, folder)
