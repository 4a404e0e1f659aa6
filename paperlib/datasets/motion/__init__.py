"""Procedural human motion: bodies, the ways they move, and the joints that follow.

Every family of motion turns a body, a duration and a random generator into world positions. Feet
are planted first and the legs reach for them; arms follow their joints' angles.
"""

from paperlib import lazily

__getattr__, __dir__ = lazily(__name__)
