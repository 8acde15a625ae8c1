"""The systems and processors for which a release has a wheel of minidl-native."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """A platform as a wheel's tag names it, the target of zig for it, and what its libraries are.

    Attributes
    ----------
    platform, zig : str
    form, processor : str
        What `library.facts` must say of the library.
    library : str
        The name of its file.
    """

    platform: str
    zig: str
    form: str
    processor: str
    library: str = "_engine.abi3.so"


# glibc 2.28 is that of the distributions of 2018; macOS 11 is the first on arm64.
TARGETS = (
    Target("manylinux_2_28_x86_64", "x86_64-linux-gnu.2.28", "ELF", "x86_64"),
    Target("manylinux_2_28_aarch64", "aarch64-linux-gnu.2.28", "ELF", "aarch64"),
    Target("musllinux_1_2_x86_64", "x86_64-linux-musl", "ELF", "x86_64"),
    Target("musllinux_1_2_aarch64", "aarch64-linux-musl", "ELF", "aarch64"),
    Target("macosx_11_0_x86_64", "x86_64-macos.11.0", "Mach-O", "x86_64"),
    Target("macosx_11_0_arm64", "aarch64-macos.11.0", "Mach-O", "aarch64"),
    Target("win_amd64", "x86_64-windows-gnu", "PE", "x86_64", "_engine.pyd"),
)
NEWEST_GLIBC = (2, 28)
