"""The contestants of each race, as data. A new contestant is a new line.

The code of a contestant is a function `function(task, **options)` in `benchmarks.rivals`. It does the untimed
preparation and returns a second function. The second function does the timed work and returns its proof: the loss of
each step or epoch, or the output. The first contestant of a race is the reference for the others.
"""

import os
import shutil
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


@dataclass(frozen=True)
class Contestant:
    name: str
    code: str  # module:function
    needs: str | None = None  # a module that must be installed
    options: dict = field(default_factory=dict)
    threads: int | None = None  # None: the number of the race
    one_thread_only: bool = False
    slow: bool = False  # left out by --quick
    goes_on: bool = False  # not prepared again before each turn, because this would compile again
    same_result: bool = True  # whether the returned result is comparable with the reference's
    compiler: str | None = None  # a command that must be there

    def missing(self, *, quick, threads):
        """Return the reason why the contestant does not take part, or None."""
        if self.needs and find_spec(self.needs) is None:
            return f"{self.needs} is not installed"
        if self.compiler and shutil.which(self.compiler) is None:
            return f"{self.compiler} is not installed"
        if self.slow and quick:
            return "left out by --quick"
        if self.one_thread_only and threads > 1:
            return "the number of threads is fixed to one at import"
        return None

    def prepare(self, task):
        module, function = self.code.split(":")
        return getattr(import_module(f"benchmarks.rivals.{module}"), function)(task, **self.options)


LOOP = Contestant("minidl, own loop", "minidl_training:own_loop")
FIT = Contestant("minidl, fit", "minidl_training:fit", options={"engine": "numpy"})
AUTO = Contestant("minidl, fit (auto)", "minidl_training:fit", options={"engine": "auto"})
NATIVE = Contestant("minidl, fit (native)", "minidl_training:fit", "minidl_native", {"engine": "native", "threads": 1})
ON_TWO = Contestant(
    "minidl, fit (native, 2 threads)",
    "minidl_training:fit",
    "minidl_native",
    {"engine": "native", "threads": 2},
    threads=2,
)
PRODUCTS = (
    Contestant("as one large product", "numpy_by_hand:one_product", same_result=False),
    Contestant("two of these products at once", "numpy_by_hand:two_products", same_result=False, threads=2),
)
BY_HAND = Contestant("NumPy by hand", "numpy_by_hand:train")
EAGER = Contestant("torch eager", "torch_eager:train", "torch")
SKLEARN = Contestant("scikit-learn", "sklearn_mlp:train", "sklearn", same_result=False)
JAX_STEP = Contestant("JAX, jitted step", "jax_training:train_by_steps", "jax", one_thread_only=True)
JAX_SCAN = Contestant("JAX, jitted scan", "jax_training:train_by_scan", "jax", one_thread_only=True)
HITS = {"accuracy": True}


def need(name, function, *, same_result=True, **options):
    """Return a contestant that trains with the native engine and with something that real trainings need."""
    return Contestant(name, f"minidl_needs:{function}", "minidl_native", options, same_result=same_result)


def normalized(norm):
    """Return the contestants for a network that normalizes the input of each activation."""
    return (
        Contestant("minidl, fit (auto)", "minidl_training:fit", options={"norm": norm, "threads": 1}),
        Contestant("torch eager", "torch_eager:train", "torch", {"norm": norm}),
    )


def estimators(function):
    """Return the contestants of a race of minidl_sklearn with scikit-learn."""
    packages = {"minidl_sklearn": "minidl_sklearn", "scikit-learn": "sklearn.neural_network"}
    return tuple(
        Contestant(name, f"estimators:{function}", package.split(".")[0], {"package": package})
        for name, package in packages.items()
    )


RACES = {
    "step": (
        LOOP,
        BY_HAND,
        EAGER,
        Contestant("torch eager, all threads", "torch_eager:train", "torch", threads=CORES),
        JAX_STEP,
    ),
    "training": (
        LOOP,
        BY_HAND,
        EAGER,
        Contestant("torch.compile", "torch_eager:train", "torch", {"compiled": True}, slow=True, goes_on=True),
        SKLEARN,
        JAX_STEP,
        JAX_SCAN,
    ),
    "fit": (
        FIT,
        NATIVE,
        Contestant("NumPy by hand", "numpy_by_hand:train", options=HITS),
        Contestant("torch eager", "torch_eager:train", "torch", HITS),
        SKLEARN,
        JAX_SCAN,
    ),
    "forward": (
        Contestant("minidl, infer", "minidl_training:infer"),
        Contestant("NumPy, bare", "numpy_by_hand:forward"),
        Contestant("NumPy, bare, stable sigmoid", "numpy_by_hand:forward_stable"),
        Contestant("minidl, predict", "minidl_training:predict", options={"engine": "numpy"}),
        Contestant("minidl, predict (native)", "minidl_training:predict", "minidl_native", {"engine": "native"}),
        Contestant("minidl_native, its predict alone", "minidl_training:predict_within", "minidl_native"),
        Contestant("torch eager", "torch_eager:forward", "torch"),
        Contestant("scikit-learn", "sklearn_mlp:forward", "sklearn"),
        Contestant("JAX, jitted", "jax_training:forward", "jax", one_thread_only=True),
        Contestant("onnxruntime", "onnx_forward:forward", "onnxruntime"),
        Contestant("C, as to_c writes it", "c_forward:forward", compiler="gcc"),
    ),
    "replicates": (
        LOOP,
        FIT,
        NATIVE,
        ON_TWO,
        Contestant("minidl, one network", "minidl_training:one_by_one"),
        Contestant("minidl, one network, fit", "minidl_training:fit_one_by_one"),
        Contestant("torch, one by one", "torch_vmap:one_by_one", "torch"),
        Contestant("torch.func vmap", "torch_vmap:train", "torch"),
        Contestant("JAX, vmap and scan", "jax_training:train_by_scan", "jax", one_thread_only=True),
    ),
    "replicates, two threads": (NATIVE, ON_TWO, *PRODUCTS),
    "needs": (
        NATIVE,
        need("clip, AdamW, schedule, weights", "everything", same_result=False),
        need("HuberLoss", "huber", same_result=False),
        need("validation", "validated", stopping=False),
        need("validation, EarlyStopping", "validated", stopping=True),
    ),
    "one sample": (Contestant("minidl, train_step", "minidl_needs:one_sample"), LOOP, EAGER),
    "stream": (
        Contestant("minidl, fit on arrays", "minidl_needs:epoch_over", options={"batches": "arrays"}),
        Contestant("minidl, slices as a stream", "minidl_needs:epoch_over", options={"batches": "slices"}),
        Contestant("minidl, points made on the way", "minidl_needs:epoch_over", options={"batches": "made"}),
    ),
    "LayerNorm": normalized("LayerNorm"),
    "BatchNorm1d": normalized("BatchNorm1d"),
    "estimators, float32": estimators("fit"),
    "estimators, float64": estimators("fit"),
    "estimators, batch": estimators("fit"),
    "several networks": (
        Contestant(
            "minidl_sklearn, 20 at once",
            "estimators:several",
            "minidl_sklearn",
            {"package": "minidl_sklearn", "count": 20},
            same_result=False,
        ),
        Contestant(
            "scikit-learn, 2 in turn",
            "estimators:several",
            "sklearn",
            {"package": "sklearn.neural_network", "count": 2},
            same_result=False,
        ),
    ),
    "one row": estimators("predict"),
    "grid search": (
        *estimators("search"),
        Contestant("minidl_sklearn, cross_val_networks", "estimators:search_at_once", "minidl_sklearn"),
    ),
    "width": (LOOP, BY_HAND, EAGER, JAX_STEP, FIT, AUTO),
    "one network": (
        NATIVE,
        ON_TWO,
        EAGER,
        Contestant("torch eager, 2 threads", "torch_eager:train", "torch", threads=2),
        Contestant("its products by BLAS", "numpy_by_hand:products", same_result=False),
        *PRODUCTS,
    ),
    "batch": (LOOP, BY_HAND, EAGER, JAX_STEP),
    "make": (
        Contestant("minidl_data, make_disk", "points:make_disk"),
        Contestant("NumPy, points alone", "points:draw"),
        Contestant("minidl_data, DiskStream", "points:stream", same_result=False),
    ),
    "batches": (
        Contestant("minidl_data, batches", "points:batches"),
        Contestant("NumPy by hand", "points:batches_by_hand"),
    ),
    "standardise": (
        Contestant("minidl_data, DiskStream in batches", "points:standardise_stream"),
        Contestant("minidl_data, DiskStream at once", "points:standardise_in_memory"),
    ),
}

ALONE = {"minidl, one network", "minidl, one network, fit", "torch, one by one"}
"""Contestants that train one network where the others train many; their times are per network."""
