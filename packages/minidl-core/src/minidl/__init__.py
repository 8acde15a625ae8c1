"""A small deep-learning framework in which every gradient is a line you can read."""

from minidl.accuracy import accuracy
from minidl.activations import LeakyReLU, ReLU, Sigmoid, Tanh
from minidl.backend import Backend, get_backend
from minidl.buffer import Param, ParamBuffer
from minidl.dropout import Dropout
from minidl.evaluation import Evaluation, evaluate
from minidl.gradcheck import GradientError, gradcheck
from minidl.history import DivergenceError, History
from minidl.inference import predict
from minidl.linear import Linear
from minidl.losses import BCELoss, BCEWithLogitsLoss, CrossEntropyLoss, Loss, MSELoss
from minidl.module import Module
from minidl.optim import SGD, Adam, Optimizer
from minidl.replicate import replicate, unstack
from minidl.sequential import Sequential
from minidl.spec import LayerSpec, ParamSpec
from minidl.summary import summary
from minidl.training import fit

__version__ = "0.1.0"

__all__ = [
    "SGD",
    "Adam",
    "BCELoss",
    "BCEWithLogitsLoss",
    "Backend",
    "CrossEntropyLoss",
    "DivergenceError",
    "Dropout",
    "Evaluation",
    "GradientError",
    "History",
    "LayerSpec",
    "LeakyReLU",
    "Linear",
    "Loss",
    "MSELoss",
    "Module",
    "Optimizer",
    "Param",
    "ParamBuffer",
    "ParamSpec",
    "ReLU",
    "Sequential",
    "Sigmoid",
    "Tanh",
    "accuracy",
    "evaluate",
    "fit",
    "get_backend",
    "gradcheck",
    "predict",
    "replicate",
    "summary",
    "unstack",
]
