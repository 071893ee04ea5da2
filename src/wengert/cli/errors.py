"""The one exception that a command ends with when what it was given cannot be used."""

__all__ = ["CommandError"]


class CommandError(Exception):
    """Said in one line on standard error; the exit code is 2."""
