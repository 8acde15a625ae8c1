"""The table of errors as JSON, for the site and for whoever wants to compare two runs."""

import json
import platform
from importlib.metadata import version
from importlib.util import find_spec

import numpy as np
import torch

import minidl
from conformance.loss_cases import LOSSES
from conformance.module_cases import MODULES


def write_report(rows, path):
    """Write the largest errors, what they were measured with, and the known differences."""
    content = {
        "versions": {
            "minidl": minidl.__version__,
            "numpy": np.__version__,
            "torch": torch.__version__,
            **({"minidl-native": version("minidl-native")} if find_spec("minidl_native") else {}),
            "Python": platform.python_version(),
        },
        "machine": platform.machine(),
        "rows": [
            {"case": case, "dtype": dtype, "ulp": distance, "tolerance": tolerance}
            for (case, dtype), (distance, tolerance) in rows.items()
        ],
        "differences": [
            {"case": case.name, "what": difference.what, "reason": difference.reason}
            for case in (*MODULES, *LOSSES)
            for difference in case.differences
        ],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
