"""The colours of pictures and pages, on light and on dark ground.

They follow Okabe and Ito's palette (2008), whose hues people with any form of colour blindness can tell apart;
nothing is told by colour alone: leaves are round, constants square and dashed, operations filled, results asked for
double-edged.
"""

from __future__ import annotations

LIGHT = {
    "ground": "#ffffff",
    "text": "#1c2126",
    "muted": "#5a646e",
    "line": "#7b8791",
    "operation": "#0072b2",
    "on-operation": "#ffffff",
    "result": "#ffffff",
    "result-edge": "#8fb3cc",
    "leaf": "#e2f3ec",
    "leaf-edge": "#009e73",
    "constant": "#f3f3f0",
    "constant-edge": "#8b9196",
    "root": "#fff6e0",
    "root-edge": "#c98a00",
    "closed": "#f7eef4",
    "closed-edge": "#b3588a",
    "gradient": "#b04400",
    "module": "#f8f6fb",
    "module-edge": "#a795c4",
    "function": "#f6f8fa",
    "function-edge": "#aab7c2",
    "repeat": "#eef6fb",
    "repeat-edge": "#4b9fcf",
}
DARK = {
    "ground": "#14181d",
    "text": "#e8ebee",
    "muted": "#a3adb7",
    "line": "#8793a0",
    "operation": "#56b4e9",
    "on-operation": "#0b1015",
    "result": "#1c232a",
    "result-edge": "#4d7590",
    "leaf": "#12312a",
    "leaf-edge": "#2bc79b",
    "constant": "#23272b",
    "constant-edge": "#8b949c",
    "root": "#33290f",
    "root-edge": "#f0b53c",
    "closed": "#33202c",
    "closed-edge": "#d98fb9",
    "gradient": "#ff9d5c",
    "module": "#1b1924",
    "module-edge": "#7a68a0",
    "function": "#191e24",
    "function-edge": "#566370",
    "repeat": "#14222c",
    "repeat-edge": "#3f86b0",
}
