// The functions that Python calls. Each opens the arrays, checks that they fit the network and each other, and only
// then computes; nothing is checked later.
#include "evaluation.hpp"
#include "orders.hpp"
#include "tasks.hpp"
#include "training.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>

namespace minidl {
namespace {

constexpr char CAPSULE[] = "minidl_native.network", POOL[] = "minidl_native.pool";

bool read_count(Py_ssize_t got, Py_ssize_t expected) {
  return got == expected || refuse(PyExc_TypeError, "%zd arguments, got %zd", expected, got);
}

Network* network_of(PyObject* capsule) { return (Network*)PyCapsule_GetPointer(capsule, CAPSULE); }

void forget(PyObject* capsule) { delete network_of(capsule); }

Pool* pool_of(PyObject* capsule) { return (Pool*)PyCapsule_GetPointer(capsule, POOL); }

// None is null.
bool read_pool(PyObject* object, Pool*& pool) {
  pool = object == Py_None ? nullptr : pool_of(object);
  return pool || object == Py_None;
}

void forget_pool(PyObject* capsule) { delete pool_of(capsule); }

PyObject* none() {
  Py_INCREF(Py_None);
  return Py_None;
}

// The text of a string as an object that owns it; null with a Python error for anything else.
PyObject* text_of(PyObject* object) {
  if (PyUnicode_Check(object)) return PyUnicode_AsASCIIString(object);
  refuse(PyExc_TypeError, "a string, got %R", (PyObject*)Py_TYPE(object));
  return nullptr;
}

// network(is_double, replicated, replicates, size, layers, generators, ranges, branches, isa) -> capsule
PyObject* make_network(PyObject* const* args, Py_ssize_t count) {
  auto network = std::make_unique<Network>();
  Chain& chain = network->chain;
  if (!read_count(count, 9)) return nullptr;
  chain.is_double = args[0] == Py_True;
  chain.replicated = args[1] == Py_True;
  if (!PyBool_Check(args[0]) || !PyBool_Check(args[1])) {
    refuse(PyExc_TypeError, "is_double and replicated to be bools, got %R and %R", args[0], args[1]);
    return nullptr;
  }
  if (!read_integer(args[2], "replicates", 1, chain.replicated ? (int64_t)1 << 32 : 1, chain.replicates) ||
      !read_integer(args[3], "size", 0, INT64_MAX, chain.size)) {
    return nullptr;
  }
  PyObject* isa = text_of(args[8]);
  const bool good = isa && network->read(args[4], args[5], args[6], args[7], PyBytes_AsString(isa));
  Py_XDECREF(isa);
  return good ? PyCapsule_New(network.release(), CAPSULE, forget) : nullptr;
}

// predict(network, values, statistics, x, y, threads): y is written
PyObject* predict(PyObject* const* args, Py_ssize_t count) {
  Array values, x, y;
  Measured measured;
  int64_t n, stride, threads;
  Network* network = read_count(count, 6) ? network_of(args[0]) : nullptr;
  if (!network || !values.open(args[1], "values", network->float_type())) return nullptr;
  const Chain& chain = network->chain;
  const int64_t replicates = chain.replicates, out = network->out();
  if (!check_vectors(chain, values, "values") || !measured.open(*network, args[2], false) ||
      !open_samples(*network, args[3], x, n, stride) || !y.open(args[4], "y", network->float_type(), true) ||
      !(chain.replicated ? y.check("y", {replicates, n, out}) : y.check("y", {n, out})) ||
      !read_integer(args[5], "threads", 1, INT64_MAX, threads)) {
    return nullptr;
  }
  const Kernel& kernel = network->kernel();
  const size_t element = chain.is_double ? sizeof(double) : sizeof(float), bytes = kernel.predict_bytes(chain, n);
  const auto rows_of = [&](int64_t r, int64_t start, int64_t rows, void* workspace) {
    kernel.predict(chain, r, (const char*)values.data() + r * chain.size * element, measured.data(),
                   (const char*)x.data() + (r * stride + start * network->in()) * element,
                   (char*)y.data() + (r * n + start) * out * element, rows, workspace);
  };
  constexpr int64_t few = 4;
  constexpr size_t little = 8192;
  if (replicates == 1 && n <= few && bytes <= little) {  // so short that neither memory nor the GIL are worth a call
    alignas(64) char workspace[little];
    std::memset(workspace, 0, bytes);
    rows_of(0, 0, n, workspace);
    return none();
  }
  const int64_t shares = shares_of(n);
  const auto task = [&](int64_t index, void* workspace, Stop stop) {
    const Rows rows = share_of(n, index % shares);
    rows_of(index / shares, rows.start, rows.count, workspace);
    stop.ask(stop.context);
  };
  return run_tasks(replicates * shares, threads, bytes, task) ? none() : nullptr;
}

// evaluate(network, values, statistics, samples, loss, result, threads): loss and hits of the result are written
PyObject* evaluate(PyObject* const* args, Py_ssize_t count) {
  Job job;
  const Pass& pass = job.pass;
  int64_t threads;
  Network* network = read_count(count, 7) ? network_of(args[0]) : nullptr;
  if (!network || !job.open_values(*network, args[1], false) || !job.open_statistics(*network, args[2], false) ||
      !job.open_data(*network, args[3], args[4]) || !job.open_result(*network, args[5], Py_None) ||
      !read_integer(args[6], "threads", 1, INT64_MAX, threads)) {
    return nullptr;
  }
  Evaluation evaluation(*network, pass);
  const auto task = [&](int64_t share, void* workspace, Stop stop) {
    evaluation.compute(share, workspace);
    stop.ask(stop.context);
  };
  const int64_t replicates = network->chain.replicates;
  job.clear_result(replicates);
  if (!run_tasks(replicates * evaluation.shares(), threads, evaluation.bytes(), task)) return nullptr;
  for (int64_t r = 0; r < replicates; ++r) evaluation.add_up(r, pass.losses[r], pass.hits[r]);
  return none();
}

// pool() -> capsule
PyObject* make_pool(PyObject* const*, Py_ssize_t count) {
  if (!read_count(count, 0)) return nullptr;
  return PyCapsule_New(new Pool(), POOL, forget_pool);
}

// close(pool): its threads have ended then
PyObject* close_pool(PyObject* const* args, Py_ssize_t count) {
  Pool* pool = read_count(count, 1) ? pool_of(args[0]) : nullptr;
  if (!pool) return nullptr;
  if (!pool->enter()) {
    refuse(PyExc_ValueError, "a pool that no training uses, got one in use");
    return nullptr;
  }
  pool->close();
  pool->leave();
  return none();
}

// train(network, values, statistics, samples, loss, optimizer, result, active, threads, adds, validation, pool): values,
// statistics, the optimizer's vectors and the result are written, the result also where an exception ends the training;
// Job says what the records hold. If `adds` is true, the sums of the result go on from what stands there. A single
// network goes through several epochs if it has several orders; a loss of nan ends them. The validation, which may be
// None, is measured after each epoch that is finished as `evaluate` measures it; a loss of nan ends the training, too.
// The pool may be None.
PyObject* train(PyObject* const* args, Py_ssize_t count) {
  Job job, validation;
  int64_t threads;
  Network* network = read_count(count, 12) ? network_of(args[0]) : nullptr;
  if (!network || !job.open_values(*network, args[1]) || !job.open_statistics(*network, args[2]) ||
      !job.open_data(*network, args[3], args[4], true) || !job.open_optimizer(*network, args[5]) ||
      !job.open_result(*network, args[6], args[7]) || !job.read_adds(args[9]) ||
      !network->check_training(job.pass.rates != nullptr) || !job.check_batches(*network) ||
      !read_integer(args[8], "threads", 1, INT64_MAX, threads)) {
    return nullptr;
  }
  Pool* shared;
  const bool validates = args[10] != Py_None;
  if ((validates && !validation.open_validation(*network, args[10], job)) || !read_pool(args[11], shared)) {
    return nullptr;
  }
  Borrowed pool(shared);
  return Training(*network, job, validates ? &validation : nullptr, threads).run(pool.get()) ? none() : nullptr;
}

// step(network, values, gradients, optimizer): values and the optimizer's vectors are written
PyObject* step(PyObject* const* args, Py_ssize_t count) {
  Job job;
  Array gradients;
  Pass& pass = job.pass;
  pass.samples = pass.visited = pass.batch = 1;  // one step, and so one learning rate
  Network* network = read_count(count, 4) ? network_of(args[0]) : nullptr;
  if (!network || !job.open_values(*network, args[1]) ||
      !gradients.open(args[2], "gradients", network->float_type()) ||
      !check_vectors(network->chain, gradients, "gradients") || !job.open_optimizer(*network, args[3]) ||
      (!pass.rates && !refuse(PyExc_ValueError, "a learning rate for the step, got None"))) {
    return nullptr;
  }
  PyThreadState* state = PyEval_SaveThread();
  for (int64_t r = 0; r < network->chain.replicates; ++r) {
    network->kernel().step(network->chain, pass, r, gradients.data());
  }
  PyEval_RestoreThread(state);
  return none();
}

// orders(generators, orders, threads, pool): the generators draw, and orders is written; the pool may be None
PyObject* orders(PyObject* const* args, Py_ssize_t count) {
  Array drawn;
  int64_t threads;
  Pool* shared;
  if (!read_count(count, 4) || !drawn.open(args[1], "orders", "i", true) ||
      !read_integer(args[2], "threads", 1, INT64_MAX, threads) || !read_pool(args[3], shared)) {
    return nullptr;
  }
  Borrowed pool(shared);
  return draw_orders(args[0], drawn, threads, pool.get()) ? none() : nullptr;
}

// The number of an activation, -1 for exp.
bool find_function(PyObject* name, int64_t& kind) {
  kind = -1;
  if (PyUnicode_Check(name) && PyUnicode_CompareWithASCIIString(name, "exp") == 0) return true;
  return find_kind(KINDS.layers, name, "an activation", kind) &&
         (KINDS.layers.first[kind].is_activation ||
          refuse(PyExc_ValueError, "exp or the name of an activation, got %R", name));
}

// function(name, x, y, isa): y = exp(x), or the activation of x whose settings are all 0.01; for the tests of digits
PyObject* function(PyObject* const* args, Py_ssize_t count) {
  Array x, y;
  int64_t kind;
  if (!read_count(count, 4) || !find_function(args[0], kind) || !x.open(args[1], "x", "fd") ||
      !y.open(args[2], "y", x.type() == 'f' ? "f" : "d", true) || !y.check("y", {x.elements()}) ||
      !x.check("x", {y.elements()})) {
    return nullptr;
  }
  PyObject* name = text_of(args[3]);
  const Isa* isa = name ? find_isa(PyBytes_AsString(name)) : nullptr;
  Py_XDECREF(name);
  if (!isa) return nullptr;
  isa->kernels[x.type() == 'd'].function(kind, x.data(), y.data(), x.elements());
  return none();
}

PyObject* isas(PyObject* const*, Py_ssize_t count) { return read_count(count, 0) ? list_isas() : nullptr; }

PyObject* kinds(PyObject* const*, Py_ssize_t count) { return read_count(count, 0) ? list_kinds() : nullptr; }

// No C++ exception may reach Python. Only missing memory is expected.
template <PyObject* (*F)(PyObject* const*, Py_ssize_t)>
PyObject* guarded(PyObject*, PyObject* const* args, Py_ssize_t count) {
  try {
    return F(args, count);
  } catch (const std::bad_alloc&) {
    return PyErr_NoMemory();
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
    return nullptr;
  }
}

template <PyObject* (*F)(PyObject* const*, Py_ssize_t)>
PyMethodDef method(const char* name) {
  return {name, (PyCFunction)(void (*)())guarded<F>, METH_FASTCALL, nullptr};
}

PyMethodDef METHODS[] = {
    method<make_network>("network"), method<predict>("predict"),   method<train>("train"), method<step>("step"),
    method<evaluate>("evaluate"),    method<orders>("orders"),     method<function>("function"),
    method<isas>("isas"),            method<kinds>("kinds"),       method<make_pool>("pool"),
    method<close_pool>("close"),
    {nullptr, nullptr, 0, nullptr},
};

// Nothing here relies on the GIL: a network is never changed once it is made, the kinds are constants, a call reads
// its own tuples and its own copies of dicts and lists, and a training may be called beside others.
PyModuleDef_Slot SLOTS[] = {
#ifdef Py_GIL_DISABLED
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, nullptr},
};

PyModuleDef MODULE = {PyModuleDef_HEAD_INIT, "minidl_native._engine", nullptr, 0, METHODS, SLOTS, nullptr, nullptr,
                      nullptr};

}  // namespace
}  // namespace minidl

PyMODINIT_FUNC PyInit__engine() { return PyModuleDef_Init(&minidl::MODULE); }
