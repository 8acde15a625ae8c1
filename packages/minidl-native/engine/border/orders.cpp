#include "orders.hpp"

#include "generators.hpp"
#include "tasks.hpp"

#include <utility>
#include <vector>

namespace minidl {
namespace {

constexpr int64_t LEAST_SHARED = 1 << 14;  // drawn numbers that take longer than a thread takes to begin

// The numbers below `count`, shuffled from the end (Fisher and Yates). A place from 0 to i is drawn with as many bits as
// i has, again and again until it is not larger than i.
void shuffle(BitGenerator& generator, int32_t* order, int32_t count) {
  for (int32_t i = 0; i < count; ++i) order[i] = i;
  uint32_t mask = INT32_MAX;
  for (int32_t i = count - 1; i > 0; --i) {
    while (mask >> 1 >= (uint32_t)i) mask >>= 1;
    uint32_t place;
    do {
      place = generator.next_uint32(generator.state) & mask;
    } while (place > (uint32_t)i);
    std::swap(order[i], order[place]);
  }
}

}  // namespace

bool draw_orders(PyObject* generators, const Array& orders, int64_t threads, Pool& pool) {
  if (!PyTuple_Check(generators)) {
    return refuse(PyExc_TypeError, "generators to be a tuple, got %R", (PyObject*)Py_TYPE(generators));
  }
  const auto replicates = (int64_t)PyTuple_Size(generators);
  const int64_t count = orders.axes() == 2 ? orders.length(1) : 0;
  if (!orders.check("orders", {replicates, count})) return false;
  if (count > INT32_MAX) {
    return refuse(PyExc_ValueError, "orders of at most %ld samples, got %lld", (long)INT32_MAX, (long long)count);
  }
  Interfaces interfaces;
  std::vector<BitGenerator*> found;
  for (int64_t r = 0; r < replicates; ++r) {
    found.push_back(interfaces.of(PyTuple_GetItem(generators, (Py_ssize_t)r)));
    if (!found.back()) return false;
  }
  const auto task = [&](int64_t r, void*, Stop stop) {
    shuffle(*found[(size_t)r], (int32_t*)orders.data() + r * count, (int32_t)count);
    stop.ask(stop.context);
  };
  return run_tasks(pool, Layout(), replicates, orders.elements() < LEAST_SHARED ? 1 : threads, task);
}

}  // namespace minidl
