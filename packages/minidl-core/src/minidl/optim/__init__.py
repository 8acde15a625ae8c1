"""Optimizers: how a step is made of the gradient."""
