"""A small deep-learning framework in which every gradient is a line you can read."""

from minidl.arrays.backend import Backend, get_backend
from minidl.gradcheck import GradientError, gradcheck
from minidl.layers.activations import LeakyReLU, ReLU, Sigmoid, Tanh
from minidl.layers.dropout import Dropout
from minidl.layers.linear import Linear
from minidl.layers.module import Module
from minidl.layers.sequential import Sequential
from minidl.losses.bce import BCELoss
from minidl.losses.bce_with_logits import BCEWithLogitsLoss
from minidl.losses.cross_entropy import CrossEntropyLoss
from minidl.losses.loss import Loss
from minidl.losses.mse import MSELoss
from minidl.optim.adam import Adam
from minidl.optim.optimizer import Optimizer, OptimizerState
from minidl.optim.sgd import SGD
from minidl.parameters.buffer import Param, ParamBuffer
from minidl.parameters.spec import LayerSpec, ParamSpec
from minidl.replicate import replicate, unstack
from minidl.summary import summary
from minidl.training.callbacks.callback import Callback, Run
from minidl.training.callbacks.early_stopping import EarlyStopping
from minidl.training.callbacks.progress import Progress
from minidl.training.callbacks.reduce_on_plateau import ReduceOnPlateau
from minidl.training.evaluate import evaluate
from minidl.training.fit import fit
from minidl.training.history import DivergenceError, History
from minidl.training.metrics import Evaluation, accuracy
from minidl.training.originals import remember_originals as _remember_originals
from minidl.training.predict import predict
from minidl.training.train_step import train_step

_remember_originals()

__version__ = "0.1.0"

__all__ = [
    "SGD",
    "Adam",
    "BCELoss",
    "BCEWithLogitsLoss",
    "Backend",
    "Callback",
    "CrossEntropyLoss",
    "DivergenceError",
    "Dropout",
    "EarlyStopping",
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
    "OptimizerState",
    "Param",
    "ParamBuffer",
    "ParamSpec",
    "Progress",
    "ReLU",
    "ReduceOnPlateau",
    "Run",
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
    "train_step",
    "unstack",
]
