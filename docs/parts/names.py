"""No public name without its place in the reference."""

from importlib import import_module
from importlib.util import find_spec

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

PACKAGES = [name for name in ("minidl", "minidl_data", "minidl_experiments", "minidl_native") if find_spec(name)]


def check_names(_app: Sphinx, env: BuildEnvironment) -> None:
    """Warn of every public name that no page of the reference documents; the build takes warnings for errors."""
    documented = env.domains["py"].objects
    for package in PACKAGES:
        for name in import_module(package).__all__:
            if f"{package}.{name}" not in documented:
                logging.getLogger(__name__).warning("%s.%s is public, but on no page of docs/reference/", package, name)
