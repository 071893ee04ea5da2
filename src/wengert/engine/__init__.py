"""The engine: tensors' base class, nodes of the graph, applying operations, the backward sweep."""
