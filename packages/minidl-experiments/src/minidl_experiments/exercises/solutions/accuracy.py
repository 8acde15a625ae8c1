"""Accuracy.

The accuracy is the share of samples whose class is predicted right; the
predicted class of a sample is that of its largest score.

Shapes: scores (samples, classes), labels (samples,) of integers; the accuracy
is a number between 0 and 1.
"""


def accuracy(scores, labels):
    """Return the accuracy."""
    return (scores.argmax(axis=-1) == labels).mean()
