"""A small deep-learning framework in which every gradient is a line you can read."""

from minidl.arrays.backend import Backend, get_backend
from minidl.arrays.softmax import log_softmax, softmax
from minidl.arrays.weights import class_weights
from minidl.exchange.c_source import to_c
from minidl.exchange.onnx_reader import from_onnx
from minidl.exchange.onnx_writer import to_onnx
from minidl.exchange.torch_reader import from_torch
from minidl.exchange.torch_writer import to_torch
from minidl.files.model import load, save
from minidl.gradcheck import GradientError, gradcheck
from minidl.layers.activations import Identity, LeakyReLU, ReLU, Sigmoid, Tanh
from minidl.layers.batch_norm import BatchNorm1d
from minidl.layers.concat import Concat
from minidl.layers.dropout import Dropout
from minidl.layers.layer_norm import LayerNorm
from minidl.layers.linear import Linear
from minidl.layers.module import Module
from minidl.layers.residual import Residual
from minidl.layers.sequential import Sequential
from minidl.layers.smooth import ELU, GELU, SiLU, Softplus
from minidl.losses.bce import BCELoss
from minidl.losses.bce_with_logits import BCEWithLogitsLoss
from minidl.losses.cross_entropy import CrossEntropyLoss
from minidl.losses.gaussian_nll import GaussianNLLLoss
from minidl.losses.huber import HuberLoss
from minidl.losses.l1 import L1Loss
from minidl.losses.loss import Loss
from minidl.losses.mse import MSELoss
from minidl.losses.poisson_nll import PoissonNLLLoss
from minidl.losses.quantile import QuantileLoss
from minidl.optim.adam import Adam
from minidl.optim.adamw import AdamW
from minidl.optim.optimizer import Optimizer
from minidl.optim.rmsprop import RMSprop
from minidl.optim.schedule import Schedule
from minidl.optim.schedules import (
    CosineSchedule,
    ExponentialSchedule,
    OneCycleSchedule,
    PiecewiseSchedule,
    PowerSchedule,
    StepSchedule,
)
from minidl.optim.sgd import SGD
from minidl.optim.state import OptimizerState
from minidl.parameters.buffer import Param, ParamBuffer
from minidl.parameters.spec import LayerSpec, ParamSpec
from minidl.replicate import replicate, unstack
from minidl.summary import summary
from minidl.training.callbacks.callback import Callback, Run
from minidl.training.callbacks.checkpoint import Checkpoint
from minidl.training.callbacks.early_stopping import EarlyStopping
from minidl.training.callbacks.progress import Progress
from minidl.training.callbacks.recorder import Recorder
from minidl.training.callbacks.reduce_on_plateau import ReduceOnPlateau
from minidl.training.evaluate import evaluate
from minidl.training.fit import fit
from minidl.training.history import DivergenceError, History
from minidl.training.metrics import Evaluation, accuracy
from minidl.training.originals import remember_originals as _remember_originals
from minidl.training.predict import predict
from minidl.training.probing.probe import probe
from minidl.training.probing.result import LayerProbe, Probe
from minidl.training.train_step import train_step

_remember_originals()

__version__ = "0.1.0"

__all__ = [
    "ELU",
    "GELU",
    "SGD",
    "Adam",
    "AdamW",
    "BCELoss",
    "BCEWithLogitsLoss",
    "Backend",
    "BatchNorm1d",
    "Callback",
    "Checkpoint",
    "Concat",
    "CosineSchedule",
    "CrossEntropyLoss",
    "DivergenceError",
    "Dropout",
    "EarlyStopping",
    "Evaluation",
    "ExponentialSchedule",
    "GaussianNLLLoss",
    "GradientError",
    "History",
    "HuberLoss",
    "Identity",
    "L1Loss",
    "LayerNorm",
    "LayerProbe",
    "LayerSpec",
    "LeakyReLU",
    "Linear",
    "Loss",
    "MSELoss",
    "Module",
    "OneCycleSchedule",
    "Optimizer",
    "OptimizerState",
    "Param",
    "ParamBuffer",
    "ParamSpec",
    "PiecewiseSchedule",
    "PoissonNLLLoss",
    "PowerSchedule",
    "Probe",
    "Progress",
    "QuantileLoss",
    "RMSprop",
    "ReLU",
    "Recorder",
    "ReduceOnPlateau",
    "Residual",
    "Run",
    "Schedule",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Softplus",
    "StepSchedule",
    "Tanh",
    "accuracy",
    "class_weights",
    "evaluate",
    "fit",
    "from_onnx",
    "from_torch",
    "get_backend",
    "gradcheck",
    "load",
    "log_softmax",
    "predict",
    "probe",
    "replicate",
    "save",
    "softmax",
    "summary",
    "to_c",
    "to_onnx",
    "to_torch",
    "train_step",
    "unstack",
]
