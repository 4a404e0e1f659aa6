"""Notebooks run with parameters: one of them, or one many times, side by side."""

from paperlib import lazily

__getattr__, __dir__ = lazily(__name__)
