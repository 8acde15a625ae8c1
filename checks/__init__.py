"""Checks of the repository for which no tool exists."""
