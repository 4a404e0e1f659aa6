"""What a notebook's experiment stands in: its parameters, checked; its rows and protocols."""

from paperlib import lazily

# loaded when used: what only reads a notebook's parameters needs no torch
_HOMES = {
    "COMMON_PARAMETERS": "common",
    "METRIC_NAMES": "rows",
    "Experiment": "frame",
    "listed": "selection",
    "known_and_unknown": "selection",
    "pictured": "selection",
    "mupots_table2": "mupots",
    "scene_protocol": "scenes",
    "scene_rows": "scenes",
    "several_people": "scenes",
}
__all__ = [*_HOMES]
__getattr__, __dir__ = lazily(__name__, _HOMES)
