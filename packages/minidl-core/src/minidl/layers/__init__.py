"""Layers: the mathematics of each, forward beside backward."""
