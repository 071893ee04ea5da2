"""The notebook that `wengert tour` runs."""
