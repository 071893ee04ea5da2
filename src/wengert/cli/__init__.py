"""The command `wengert`: running programs and notebooks written for PyTorch, and the tour."""
