"""`wengert cache`: the machine code kept on disk, to look at and to throw away."""

import argparse
from typing import Any

from wengert.compile.runtime.cache import cache

__all__ = ["add_cache_command"]


def add_cache_command(commands: Any) -> None:
    """Add `cache` to the commands of the command line."""
    parser = commands.add_parser(
        "cache",
        help="look at the compiled programs kept on disk, or throw them away",
        description="Compiled programs are kept on disk, so that they compile once and not in every process. Without "
        "an action, say where they are and how large. WENGERT_CACHE_DIR names another folder.",
    )
    parser.add_argument("action", nargs="?", choices=["clear"], help="clear: throw all of them away")
    parser.set_defaults(command=_cache)


def _cache(options: argparse.Namespace) -> int:
    kept = cache()
    if options.action == "clear":
        count, size = kept.clear()
        print(f"removed {_programs(count)}, {_size(size)}, from {kept.path}")
        return 0
    count, size = kept.size()
    print(f"{kept.path}: {_programs(count)}, {_size(size)} of at most {_size(kept.largest)}")
    return 0


def _programs(count: int) -> str:
    return f"{count} compiled program{'' if count == 1 else 's'}"


def _size(size: int) -> str:
    return f"{size / 1024:.1f} KiB" if size < 1 << 20 else f"{size / (1 << 20):.1f} MiB"
