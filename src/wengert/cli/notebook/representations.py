"""How a value is shown in a notebook: as plain text always, and richer where the value offers it."""

import base64
import sys
from typing import Any

from wengert.cli.notebook.figures import figure_png, is_figure

__all__ = ["representations"]

# The methods by which a value offers a richer form, in Jupyter's convention.
_METHODS = {
    "text/html": "_repr_html_",
    "text/markdown": "_repr_markdown_",
    "text/latex": "_repr_latex_",
    "image/svg+xml": "_repr_svg_",
    "image/png": "_repr_png_",
    "image/jpeg": "_repr_jpeg_",
    "application/json": "_repr_json_",
}


def representations(value: Any) -> dict[str, Any]:
    """The forms in which a notebook keeps a value, by media type."""
    data: dict[str, Any] = {"text/plain": repr(value)}
    if is_figure(value):
        data["image/png"] = figure_png(value)
    data.update(_own_bundle(value))
    for media, name in _METHODS.items():
        # Asked of the class: instances that make up attributes on demand must not answer.
        method = getattr(type(value), name, None)
        if method is not None and media not in data:
            form = _attempt(method, value)
            if form is not None:
                data[media] = form
    return {media: _as_text(form) for media, form in data.items()}


def _own_bundle(value: Any) -> dict[str, Any]:
    method = getattr(type(value), "_repr_mimebundle_", None)
    bundle = _attempt(method, value) if method is not None else None
    if isinstance(bundle, tuple):
        bundle = bundle[0]
    return bundle if isinstance(bundle, dict) else {}


def _attempt(method: Any, value: Any) -> Any:
    """The form that `method` gives; its failure costs this form, not the value's plain text."""
    try:
        form = method(value)
    except Exception as error:  # noqa: BLE001 - any error of the value's own method is reported and passed over
        print(f"{type(value).__name__}.{method.__name__} failed: {type(error).__name__}: {error}", file=sys.stderr)
        return None
    # Some methods give (data, metadata).
    return form[0] if isinstance(form, tuple) and form and method.__name__ != "_repr_mimebundle_" else form


def _as_text(form: Any) -> Any:
    return base64.b64encode(form).decode("ascii") if isinstance(form, bytes) else form
