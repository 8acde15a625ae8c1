from typing import Any

def network(
    is_double: int, replicated: int, size: int, layers: Any, numbers: Any, generators: list[list[Any]], isa: str, /
) -> Any: ...
def predict(network: Any, values: Any, x: Any, y: Any, threads: int, /) -> None: ...
def train(
    network: Any,
    values: Any,
    x: Any,
    y: Any,
    order: Any,
    batch_size: int,
    loss: int,
    mean: int,
    threshold: float | None,
    optimizer: int,
    nesterov: int,
    settings: Any,
    first: Any,
    second: Any,
    rates: Any,
    t: int,
    active: Any,
    losses: Any,
    hits: Any,
    diverged: Any,
    threads: int,
    /,
) -> None: ...
def step(
    network: Any,
    values: Any,
    gradients: Any,
    optimizer: int,
    nesterov: int,
    settings: Any,
    first: Any,
    second: Any,
    rates: Any,
    t: int,
    /,
) -> None: ...
def function(kind: int, x: Any, y: Any, isa: str, /) -> None: ...
def isas() -> list[str]: ...
