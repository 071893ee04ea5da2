"""Layered drawings of directed acyclic graphs: where boxes stand and how lines run between them."""
