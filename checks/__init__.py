"""Checks of the repository that no tool does for us."""
