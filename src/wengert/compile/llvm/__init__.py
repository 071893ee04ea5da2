"""Loop nests to LLVM IR, and IR to machine code."""
