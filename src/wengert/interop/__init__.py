"""Working together with other libraries."""
