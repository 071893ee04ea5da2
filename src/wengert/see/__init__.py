"""Seeing a graph: what was computed from what, under which names, with which values and derivatives."""
