"""Machine code as callables: linking, calling, threads, the cache on disk."""
