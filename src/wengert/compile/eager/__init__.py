"""Machine code for single operations of the eager engine, and for their derivative rules."""
