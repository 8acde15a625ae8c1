// Work spread over threads, which Ctrl-C ends in good order.
#pragma once

#include "arrays.hpp"
#include "pool.hpp"

#include <functional>

namespace minidl {

using Task = std::function<void(int64_t, void*, Stop)>;

// Call `task(index, workspace, stop)` for every index below `count`, on up to `threads` threads of a pool, each with
// memory of its own, null without bytes. The calling thread, which holds the GIL, gives it up meanwhile and takes it back
// every 50 ms to let Python handle signals. If a handler raises, every task is asked to stop. Returns false with a
// Python error.
bool run_tasks(Pool& pool, const Layout& layout, int64_t count, int64_t threads, const Task& task);

// The same with zeroed memory and threads that are there for this call.
bool run_tasks(int64_t count, int64_t threads, size_t bytes, const Task& task);

}  // namespace minidl
