// The orders in which replicates go through their samples, drawn on several threads.
#pragma once

#include "arrays.hpp"
#include "pool.hpp"

namespace minidl {

// Fill each row of `orders`, int32 of shape (R, N), with the numbers below N as `Generator.permutation` of NumPy shuffles
// them: the same numbers, and each bit generator is left in the same state. `generators` is a tuple of R bit generators,
// no two of them the same, whose locks the caller holds. The threads are those of a pool. Returns false with a Python
// error.
bool draw_orders(PyObject* generators, const Array& orders, int64_t threads, Pool& pool);

}  // namespace minidl
