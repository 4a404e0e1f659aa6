"""Files that others have written, read under limits; nothing in them is run."""

from paperlib import lazily

__getattr__, __dir__ = lazily(__name__)
