"""Bytes <-> the model: one dialect of XML for each protocol that clients speak."""
