"""From a Python function of tensors to machine code: tracing, passes, loop nests, LLVM."""
