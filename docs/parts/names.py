"""A check that the reference documents every public name."""

from importlib import import_module
from importlib.util import find_spec

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

NAMES = ("minidl", "minidl_data", "minidl_experiments", "minidl_native", "minidl_sklearn")
PACKAGES = [name for name in NAMES if find_spec(name)]


def check_names(_app: Sphinx, env: BuildEnvironment) -> None:
    """Warn about public names that no page documents; the build treats warnings as errors."""
    documented = env.domains["py"].objects
    for package in PACKAGES:
        for name in import_module(package).__all__:
            if f"{package}.{name}" not in documented:
                logging.getLogger(__name__).warning(
                    "%s.%s is public, but no page of docs/reference/ documents it", package, name
                )
