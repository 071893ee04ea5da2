"""What users call: one module for each family of functions, and their methods."""
