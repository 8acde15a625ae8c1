"""Builds what a release uploads, and says what was run where."""
