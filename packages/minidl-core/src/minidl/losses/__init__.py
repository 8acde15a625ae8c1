"""Losses: a value to make small, and its gradient with respect to the prediction."""
