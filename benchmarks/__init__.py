"""How long wengert takes, and PyTorch beside it in the same run: ``python -m benchmarks``."""
