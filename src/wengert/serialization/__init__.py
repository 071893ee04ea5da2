"""Files: what is written can be read without running anything, and a file is replaced only by a complete one."""

from wengert.serialization._errors import FileError
from wengert.serialization._files import load, load_npz, save, save_npz

__all__ = ["FileError", "load", "load_npz", "save", "save_npz"]
