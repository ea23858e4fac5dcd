"""cosbatch: one operation on every object of a list, and proof of what happened to each."""

__version__ = "0.1.0.dev0"
