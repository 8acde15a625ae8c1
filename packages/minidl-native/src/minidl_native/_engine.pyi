from typing import Any

def network(
    is_double: bool,
    replicated: bool,
    replicates: int,
    size: int,
    layers: tuple[tuple[Any, ...], ...],
    generators: list[list[Any]],
    ranges: tuple[tuple[int, int, int, int], ...],
    branches: tuple[tuple[int, int], ...],
    isa: str,
    /,
) -> Any: ...
def predict(network: Any, values: Any, statistics: tuple[Any, ...], x: Any, y: Any, threads: int, /) -> None: ...
def train(
    network: Any,
    values: Any,
    statistics: tuple[Any, ...],
    samples: tuple[Any, Any, Any, int, Any],
    loss: tuple[str, bool, float | None, Any, bool, Any],
    optimizer: tuple[str, Any, Any, Any, int],
    result: tuple[Any, Any, Any, Any, Any],
    active: Any,
    threads: int,
    adds: bool,
    validation: tuple[Any, Any, Any] | None,
    pool: Any,
    /,
) -> None: ...
def pool() -> Any: ...
def close(pool: Any, /) -> None: ...
def step(network: Any, values: Any, gradients: Any, optimizer: tuple[str, Any, Any, Any, int], /) -> None: ...
def evaluate(
    network: Any,
    values: Any,
    statistics: tuple[Any, ...],
    samples: tuple[Any, Any, Any, int, Any],
    loss: tuple[str, bool, float | None, Any, bool, Any],
    result: tuple[Any, Any, Any, Any, Any],
    threads: int,
    /,
) -> None: ...
def orders(generators: tuple[Any, ...], orders: Any, threads: int, pool: Any, /) -> None: ...
def function(name: str, x: Any, y: Any, isa: str, /) -> None: ...
def isas() -> list[str]: ...
def kinds() -> dict[str, dict[str, dict[str, Any]]]: ...
