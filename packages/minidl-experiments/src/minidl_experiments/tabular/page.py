"""The report as one page of HTML that needs no other file."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from html import escape

from minidl_experiments.tabular.assessment import Assessment
from minidl_experiments.tabular.encoder import Column, NumberColumn
from minidl_experiments.tabular.options import Options, as_toml
from minidl_experiments.tabular.printing import (
    baseline_words,
    plan_words,
    problem_lines,
    range_words,
    training_lines,
    with_unit,
)
from minidl_experiments.tabular.problem import Problem
from minidl_experiments.tabular.words import listed

COLUMNS = (
    "Numbers: mean ± standard deviation, by which they are scaled, and the median, which stands for missing cells. "
    "Text: the categories, with an input for each. Marked: one more input is 1 where a cell is missing. All of this is "
    "computed from the training rows alone."
)
PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark;
  --paper: #fff; --text: #1f2328; --soft: #59636e; --line: #e3e6ea; --shade: #f5f6f8; }}
@media (prefers-color-scheme: dark) {{
  :root {{ --paper: #16191d; --text: #e6e8eb; --soft: #9aa4af; --line: #33383f; --shade: #1f2429; }}
}}
* {{ box-sizing: border-box; }}
body {{ margin: 0 auto; padding: 1rem; max-width: 60rem; background: var(--paper); color: var(--text);
  font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }}
h1 {{ font-size: 1.5rem; margin: 0.5rem 0; }}
h2 {{ font-size: 1.15rem; margin: 1.8rem 0 0.5rem; }}
p, ul {{ margin: 0.4rem 0; }}
ul {{ padding-left: 1.2rem; }}
.soft {{ color: var(--soft); font-size: 0.9rem; }}
.wide {{ overflow-x: auto; }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; }}
th, td {{ padding: 0.3rem 0.6rem 0.3rem 0; text-align: right; vertical-align: top; border-bottom: 1px solid var(--line);
  overflow-wrap: normal; }}
th:first-child, td:first-child, .text td, .text th {{ text-align: left; }}
.text td {{ overflow-wrap: anywhere; min-width: 5rem; }}
th {{ color: var(--soft); font-weight: 600; }}
@media (max-width: 30rem) {{ body {{ padding: 0.8rem; }} table {{ font-size: 0.85rem; }} }}
.pictures {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); gap: 1rem; }}
img {{ width: 100%; height: auto; }}
pre {{ background: var(--shade); padding: 0.7rem; overflow-x: auto; font-size: 0.85rem; }}
</style>
</head>
<body>
<h1>{title}</h1>
{body}
</body>
</html>
"""


def build_page(
    title: str, problem: Problem, options: Options, found: Assessment, pictures: Mapping[str, tuple[bytes, bytes]]
) -> str:
    """Return the page.

    Parameters
    ----------
    title : str
    problem : Problem
    options : Options
    found : Assessment
    pictures : mapping of str to (bytes, bytes)
        PNG for light and dark pages, by name.
    """
    sections = {
        "Data": _list([*(found.lines or (*problem_lines(problem), plan_words(problem, options))), *found.notes]),
        "Scores": _scores(problem, found),
        "Pictures": _pictures(pictures, found),
        "Training": _list(training_lines(found, options)),
        "Columns": _columns(found) + f'<p class="soft">{escape(COLUMNS)}</p>',
        "Use": _use(problem, options),
        "Settings": f"<pre>{escape(as_toml(options))}</pre>",
    }
    body = "\n".join(f"<h2>{name}</h2>\n{text}" for name, text in sections.items())
    return PAGE.format(title=escape(title), body=body)


def _list(lines: Iterable[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], kind: str = "") -> str:
    cells = "".join(f"<th>{escape(name)}</th>" for name in head)
    lines = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="wide"><table class="{kind}"><tr>{cells}</tr>{lines}</table></div>'


def _scores(problem: Problem, found: Assessment) -> str:
    several = found.scores[0].single is not None
    head = ["", "score", "interval", "baseline", *["one network"] * several]
    rows = []
    for score in found.scores:
        cells = [score.name, with_unit(score, score.value), range_words(score, score.low, score.high)]
        cells.append(with_unit(score, score.baseline))
        if score.single is not None:
            cells.append(with_unit(score, score.single[0]))
        rows.append(cells)
    words = [f"Interval: {found.interval}.", f"Baseline: {baseline_words(problem)}."]
    if several:
        words.append("One network: the mean of the networks by themselves, which are averaged for the score.")
    return _table(head, rows) + "".join(f'<p class="soft">{escape(line)}</p>' for line in words)


def _pictures(pictures: Mapping[str, tuple[bytes, bytes]], found: Assessment) -> str:
    """Return the pictures, and what is not seen at first sight."""
    words = []
    if found.trained.best_epochs.size > 1:
        words.append(
            "Learning curves: the median of the networks that are still trained, with a band from the lowest to the "
            "highest. Where a network has stopped, the median may jump."
        )
    if "confusion_matrix" in pictures:
        words.append("Confusion matrix: of the test rows of each class, how many were predicted as which one.")
    body = f'<div class="pictures">{"".join(map(_picture, pictures, pictures.values()))}</div>'
    return body + "".join(f'<p class="soft">{line}</p>' for line in words)


def _picture(name: str, pair: tuple[bytes, bytes]) -> str:
    light, dark = (f"data:image/png;base64,{base64.b64encode(png).decode()}" for png in pair)
    source = f'<source srcset="{dark}" media="(prefers-color-scheme: dark)">'
    return f'<picture>{source}<img src="{light}" alt="{name.replace("_", " ")}"></picture>'


def _columns(found: Assessment) -> str:
    rows = [_column(column) for column in found.model.encoder.columns]
    rows += [(name, "all the same: left out", "") for name in found.model.encoder.constant]
    return _table(["column", "training rows", "missing cells"], rows, "text")


def _column(column: Column) -> tuple[str, str, str]:
    flag = ", marked" if column.flag else ""
    if isinstance(column, NumberColumn):
        return column.name, f"{column.mean:.4g} ± {column.std:.4g}", f"{column.median:.4g}{flag}"
    return column.name, listed(list(column.categories), 8), f"zeros{flag}"


def _use(problem: Problem, options: Options) -> str:
    kind = "classes with probabilities" if problem.classes else "numbers"
    spread = ", and the standard deviation between the networks" if options.networks > 1 else ""
    commands = (
        "minidl predict model.safetensors new.csv --out predictions.csv\n"
        "minidl evaluate model.safetensors labelled.csv\n"
        "minidl export model.safetensors --onnx"
    )
    return f"<p>The predictions are {kind}{spread}. The preprocessing is in the file.</p><pre>{escape(commands)}</pre>"
