"""Losses: the value that training minimises, and its gradient with respect to the prediction."""
