"""Passes: from a program to an equal one that is cheaper to run."""
