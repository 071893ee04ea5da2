"""The version, and that this build is for no accelerator."""

from typing import Final

from wengert._version import __version__

__all__ = ["__version__", "cuda", "debug", "git_version", "hip"]

cuda: Final[str | None] = None
hip: Final[str | None] = None
debug: Final = False
git_version: Final = "Unknown"
