"""scikit-learn's multi-layer perceptrons, with its parameters and its results, trained by minidl."""

from minidl_sklearn.classifier import MLPClassifier
from minidl_sklearn.cross_validation import CrossValidation, cross_val_networks
from minidl_sklearn.regressor import MLPRegressor

__version__ = "0.1.0"

__all__ = ["CrossValidation", "MLPClassifier", "MLPRegressor", "cross_val_networks"]
