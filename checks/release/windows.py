"""What it takes to compile an extension for Windows without Python for Windows: its headers and an import library.

The extension uses the stable ABI alone, which python3.dll exports. So the import library needs the names that the
extension uses, and pyconfig.h the few settings that these headers then read.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

PYCONFIG = """\
// The settings that the headers of Python read on Windows where the stable ABI alone is used.
#ifndef Py_PYCONFIG_H
#define Py_PYCONFIG_H

#include <stdint.h>

#define MS_WINDOWS
#define MS_WIN32
#define MS_WIN64
#define HAVE_DECLSPEC_DLL
#define Py_ENABLE_SHARED
#define SIZEOF_INT 4
#define SIZEOF_LONG 4
#define SIZEOF_LONG_LONG 8
#define SIZEOF_SHORT 2
#define SIZEOF_SIZE_T 8
#define SIZEOF_VOID_P 8
#define SIZEOF_WCHAR_T 2
#define ALIGNOF_MAX_ALIGN_T 8
#define HAVE_PY_SSIZE_T 1
typedef intptr_t Py_ssize_t;
#define PY_SSIZE_T_MAX INTPTR_MAX

#endif
"""
# What the stable ABI exports as data; its types and exceptions are too.
DATA = ("_Py_NoneStruct", "_Py_TrueStruct", "_Py_FalseStruct", "_Py_EllipsisObject", "_Py_NotImplementedStruct")


def write_headers(folder: Path) -> Path:
    """Copy the headers of the Python that runs, with the settings of Windows; return their folder."""
    headers = folder / "include"
    shutil.copytree(sysconfig.get_path("include"), headers)
    (headers / "pyconfig.h").unlink()  # which may be read-only
    (headers / "pyconfig.h").write_text(PYCONFIG, encoding="utf-8")
    return headers


def write_import_library(zig: str, names: set[str], folder: Path) -> Path:
    """Make the import library of python3.dll for these names; return its path.

    CMake takes the version of Python from the name of the file, and wants that of the headers.
    """
    lines = [f"  {name}{' DATA' if _is_data(name) else ''}" for name in sorted(names)]
    definition, library = folder / "python3.def", folder / f"python3{sys.version_info.minor}.lib"
    definition.write_text("\n".join(["LIBRARY python3.dll", "EXPORTS", *lines, ""]), encoding="utf-8")
    subprocess.run(  # noqa: S603 - the compiler's own tool
        [zig, "dlltool", "-m", "i386:x86-64", "-d", str(definition), "-l", str(library)], check=True
    )
    # Without a DLL beside it CMake takes it for a static library, which needs what Python here was linked with.
    library.with_suffix(".dll").touch()
    return library


def _is_data(name: str) -> bool:
    return name in DATA or name.startswith("PyExc_") or name.endswith("_Type")
