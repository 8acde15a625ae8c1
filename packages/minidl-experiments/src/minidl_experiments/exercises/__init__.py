"""Exercises on backpropagation: `minidl exercise`."""

from minidl_experiments.exercises.exercise import Exercise
from minidl_experiments.exercises.tasks import activations, bugs, layers, linear, losses, optimizers, training

EXERCISES: dict[str, Exercise] = {
    exercise.name: exercise
    for topic in (linear, activations, layers, losses, optimizers, training, bugs)
    for exercise in topic.EXERCISES
}
"""All exercises by name, in the order in which they are listed."""

__all__ = ["EXERCISES", "Exercise"]
