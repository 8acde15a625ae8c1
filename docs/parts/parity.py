"""The table of the last run of conformance, as one table per page; scikit-learn's part is that of `sklearn_parity`."""

import json
from collections import defaultdict
from typing import Any, TypeAlias

from parts.markdown import table
from parts.places import DOCS, write
from parts.sklearn_parity import is_estimator, write_sklearn_parity

DTYPES = ("float64", "float32", "float16")
LATEST, COMMITTED = (DOCS / "conformance" / name for name in ("latest.json", "table.json"))

Cases: TypeAlias = dict[str, dict[str, dict[str, Any]]]
"""Measurements by case and dtype."""


def write_parity() -> None:
    """Write one table per class, and one with all cases."""
    content = json.loads((LATEST if LATEST.exists() else COMMITTED).read_text(encoding="utf-8"))
    cases: Cases = defaultdict(dict)
    write_sklearn_parity([row for row in content["rows"] if is_estimator(row["case"])])
    rest = [row for row in content["rows"] if not is_estimator(row["case"])]
    for row in sorted(rest, key=lambda row: "engine" in row["case"]):
        cases[row["case"]][row["dtype"]] = row
    for name in sorted({_class_of(case) for case in cases if "odd widths" not in case}):
        own = {case: rows for case, rows in cases.items() if _class_of(case) == name}
        reasons = [entry for entry in content["differences"] if _class_of(entry["case"]) == name]
        engine = " The rows of the engine compare whole trainings." if any("engine" in case for case in own) else ""
        write(f"parity/{name}.md", f"{_headline(own)}{engine}\n\n{_table(own)}{_differences(reasons)}")
    write("parity/all.md", _table(cases))
    write("parity/differences.md", _all_differences(content["differences"]))
    versions = ", ".join(f"{name} {version}" for name, version in content["versions"].items())
    write("parity/versions.md", f"{versions}, on {content['machine']}.\n")


def _class_of(case: str) -> str:
    return case.replace(",", " ").split()[0]


def _headline(cases: Cases) -> str:
    by_itself = (rows["float64"] for case, rows in cases.items() if "steps" not in case and "engine" not in case)
    worst = max(by_itself, key=lambda row: row["ulp"])
    if not worst["ulp"]:
        return "Largest difference from torch in float64: **none**; all bits agree."
    return f"Largest difference from torch in float64: **{_number(worst['ulp'])} ulp**."


def _table(cases: Cases) -> str:
    rows = [[case, *(_cell(found.get(dtype)) for dtype in DTYPES), _allowed(found)] for case, found in cases.items()]
    return table(["largest error, in ulp", *DTYPES, "allowed"], rows, "lrrrr")


def _cell(row: dict[str, Any] | None) -> str:
    return "" if row is None else _number(row["ulp"])


def _allowed(rows: dict[str, dict[str, Any]]) -> str:
    limits = [_number(row["tolerance"]) for row in rows.values()]
    return limits[0] if len(set(limits)) == 1 else ", ".join(limits)


def _number(ulp: float) -> str:
    return f"{ulp:.3g}" if ulp < 100 else f"{ulp:,.0f}"


def _differences(entries: list[dict[str, str]]) -> str:
    if not entries:
        return ""
    lines = [f"- *{entry['what']}*: {entry['reason']}." for entry in _unique(entries)]
    return "\n".join(["\nIntended differences:\n", *lines, ""])


def _unique(entries: list[dict[str, str]]) -> list[dict[str, str]]:
    return list({entry["what"]: entry for entry in entries}.values())


def _all_differences(entries: list[dict[str, str]]) -> str:
    where: dict[str, list[str]] = defaultdict(list)
    for entry in entries:
        where[entry["what"]].append(entry["case"])
    rows = [[", ".join(where[entry["what"]]), entry["what"], entry["reason"]] for entry in _unique(entries)]
    return table(["case", "difference", "reason"], rows, "lll")
