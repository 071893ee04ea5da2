"""The operations: NumPy implementations and derivative rules, one record each."""
