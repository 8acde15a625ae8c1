// The functions that Python calls. Each opens the arrays, checks that they fit the network and each other, and only
// then computes; what is not checked here is checked nowhere.
#include "program.hpp"
#include "tasks.hpp"

#include <cmath>
#include <cstring>
#include <memory>
#include <new>

namespace minidl {
namespace {

constexpr char CAPSULE[] = "minidl_native.network";

bool read_integer(PyObject* object, const char* name, int64_t least, int64_t most, int64_t& value) {
  if (!PyLong_Check(object)) {
    return refuse(PyExc_TypeError, "%s to be an integer, got %R", name, (PyObject*)Py_TYPE(object));
  }
  int overflow = 0;
  value = PyLong_AsLongLongAndOverflow(object, &overflow);
  return (!overflow && value >= least && value <= most) ||
         refuse(PyExc_ValueError, "%s from %lld to %lld, got %R", name, (long long)least, (long long)most, object);
}

bool read_count(Py_ssize_t got, Py_ssize_t expected) {
  return got == expected || refuse(PyExc_TypeError, "%zd arguments, got %zd", expected, got);
}

Network* network_of(PyObject* capsule) { return (Network*)PyCapsule_GetPointer(capsule, CAPSULE); }

void forget(PyObject* capsule) { delete network_of(capsule); }

PyObject* none() {
  Py_INCREF(Py_None);
  return Py_None;
}

// network(is_double, replicated, size, layers, numbers, generators, isa) -> capsule
PyObject* make_network(PyObject* const* args, Py_ssize_t count) {
  int64_t is_double, replicated, size;
  if (!read_count(count, 7) || !read_integer(args[0], "is_double", 0, 1, is_double) ||
      !read_integer(args[1], "replicated", 0, 1, replicated) ||
      !read_integer(args[2], "size", 0, INT64_MAX, size)) {
    return nullptr;
  }
  PyObject* isa = PyUnicode_AsASCIIString(args[6]);
  if (!isa) return nullptr;
  auto network = std::make_unique<Network>();
  const bool good = network->read(is_double != 0, replicated != 0, size, args[3], args[4], args[5],
                                  PyBytes_AsString(isa));
  Py_DECREF(isa);
  return good ? PyCapsule_New(network.release(), CAPSULE, forget) : nullptr;
}

// Samples as the network takes them; `n` and `stride` become their number and what lies between replicates.
bool open_samples(const Network& network, PyObject* object, Array& x, int64_t& n, int64_t& stride) {
  const Program& program = network.program;
  if (!x.open(object, "x", network.float_type())) return false;
  const bool each = program.replicated && x.axes() == 3;
  n = x.axes() < 2 ? 0 : x.length(x.axes() - 2);
  stride = each ? n * network.in() : 0;
  return program.replicated ? x.check("x", {n, network.in()}, {program.replicates, n, network.in()})
                            : x.check("x", {n, network.in()});
}

// An array that has one vector for each replicate, or is one.
bool check_vectors(const Program& program, const Array& array, const char* name) {
  return program.replicated ? array.check(name, {program.replicates, program.size}) : array.check(name, {program.size});
}

// predict(network, values, x, y, threads): y is written
PyObject* predict(PyObject* const* args, Py_ssize_t count) {
  Array values, x, y;
  int64_t n, stride, threads;
  Network* network = read_count(count, 5) ? network_of(args[0]) : nullptr;
  if (!network || !values.open(args[1], "values", network->float_type())) return nullptr;
  const Program& program = network->program;
  const int64_t replicates = program.replicates, out = network->out();
  if (!check_vectors(program, values, "values") || !open_samples(*network, args[2], x, n, stride) ||
      !y.open(args[3], "y", network->float_type(), true) ||
      !(program.replicated ? y.check("y", {replicates, n, out}) : y.check("y", {n, out})) ||
      !read_integer(args[4], "threads", 1, INT64_MAX, threads)) {
    return nullptr;
  }
  const Kernel& kernel = network->kernel();
  const size_t element = program.is_double ? sizeof(double) : sizeof(float), bytes = kernel.predict_bytes(program, n);
  const auto rows_of = [&](int64_t r, int64_t start, int64_t rows, void* workspace) {
    kernel.predict(program, r, (const char*)values.data() + r * program.size * element,
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
  const int64_t share = 8 * PREDICT_ROWS, shares = n ? (n - 1) / share + 1 : 0;
  const auto task = [&](int64_t index, void* workspace, Stop stop) {
    const int64_t r = index / shares, start = index % shares * share;
    rows_of(r, start, n - start < share ? n - start : share, workspace);
    stop.ask(stop.context);
  };
  return run_tasks(replicates * shares, threads, bytes, task) ? none() : nullptr;
}

bool check_indices(const Array& array, int64_t count, const char* name) {
  for (int64_t i = 0; i < array.elements(); ++i) {
    const int64_t index = array.type() == 'i' ? ((const int32_t*)array.data())[i] : ((const int64_t*)array.data())[i];
    if (index < 0 || index >= count) {
      return refuse(PyExc_ValueError, "%s from 0 to %lld, got %lld", name, (long long)(count - 1), (long long)index);
    }
  }
  return true;
}

// What an epoch is run on: the arrays, open as long as this lives, and the Epoch that points into them.
struct Job {
  Array values, x, y, order, settings, first, second, rates, active, losses, hits, diverged;
  Epoch epoch = {};
  int64_t threads = 1;
};

// x, y and the order of the samples: args[0] to args[2].
bool open_data(const Network& network, PyObject* const* args, Job& job) {
  const Program& program = network.program;
  Epoch& epoch = job.epoch;
  if (!open_samples(network, args[0], job.x, epoch.samples, epoch.x_stride)) return false;
  const int64_t n = epoch.samples, replicates = program.replicates, out = network.out();
  const bool labels = epoch.loss == CROSS_ENTROPY;
  const char* types = labels ? (program.is_double ? "dq" : "fq") : network.float_type();
  if (!job.y.open(args[1], "y", types)) return false;
  epoch.classes = job.y.type() == 'q';
  const bool y_each = program.replicated && job.y.axes() == (epoch.classes ? 2 : 3);
  epoch.y_stride = y_each ? n * (epoch.classes ? 1 : out) : 0;
  const bool good = epoch.classes ? (y_each ? job.y.check("y", {replicates, n}) : job.y.check("y", {n}))
                                  : (y_each ? job.y.check("y", {replicates, n, out}) : job.y.check("y", {n, out}));
  if (!good || (epoch.classes && !check_indices(job.y, out, "class indices"))) return false;
  if (!job.order.open(args[2], "order", "iq")) return false;
  const bool order_each = program.replicated && job.order.axes() == 2;
  epoch.order_stride = order_each ? n : 0;
  epoch.order_is_32 = job.order.type() == 'i';
  epoch.x = job.x.data();
  epoch.y = job.y.data();
  epoch.order = job.order.data();
  return (order_each ? job.order.check("order", {replicates, n}) : job.order.check("order", {n})) &&
         check_indices(job.order, n, "order");
}

// batch_size, loss, mean and threshold: args[0] to args[3].
bool read_loss(PyObject* const* args, Epoch& epoch) {
  int64_t mean;
  if (!read_integer(args[0], "batch_size", 1, INT64_MAX / 2, epoch.batch) ||
      !read_integer(args[1], "loss", 0, LOSSES - 1, epoch.loss) || !read_integer(args[2], "mean", 0, 1, mean)) {
    return false;
  }
  epoch.mean = mean != 0;
  epoch.counted = args[3] != Py_None;
  if (epoch.counted) epoch.threshold = PyFloat_AsDouble(args[3]);
  return !PyErr_Occurred();
}

// optimizer, nesterov, settings, first, second, rates and t: args[0] to args[6].
bool open_optimizer(const Network& network, PyObject* const* args, Job& job) {
  const Program& program = network.program;
  Epoch& epoch = job.epoch;
  int64_t nesterov;
  if (!read_integer(args[0], "optimizer", 0, OPTIMIZERS - 1, epoch.optimizer) ||
      !read_integer(args[1], "nesterov", 0, 1, nesterov) || !job.settings.open(args[2], "settings", "d") ||
      !job.settings.check("settings", {4, program.replicates}) ||
      !job.first.open_optional(args[3], epoch.optimizer == ADAM ? "m" : "velocity", network.float_type(), true) ||
      !job.second.open_optional(args[4], "v", network.float_type(), true) ||
      !job.rates.open_optional(args[5], "rates", "d") || !read_integer(args[6], "t", 0, INT64_MAX / 2, epoch.t)) {
    return false;
  }
  if (epoch.optimizer == ADAM && (job.first.empty() || job.second.empty())) {
    return refuse(PyExc_ValueError, "m and v for Adam, got None");
  }
  if (!job.first.empty() && !check_vectors(program, job.first, "the first moment or the velocity")) return false;
  if (!job.second.empty() && !check_vectors(program, job.second, "v")) return false;
  const int64_t steps = epoch.samples ? (epoch.samples - 1) / epoch.batch + 1 : 0;
  if (!job.rates.empty()) {
    if (!job.rates.check("rates", {steps}, {steps, program.replicates})) return false;
    epoch.rate_replicate = job.rates.axes() == 2;
    epoch.rate_step = job.rates.axes() == 2 ? program.replicates : 1;
  }
  epoch.nesterov = nesterov != 0;
  epoch.settings = (const double*)job.settings.data();
  epoch.first = job.first.data();
  epoch.second = job.second.data();
  epoch.rates = (const double*)job.rates.data();
  return true;
}

// active, losses, hits and diverged: args[0] to args[3].
bool open_results(const Network& network, PyObject* const* args, Job& job) {
  const Shape each = {network.program.replicates}, one = {};
  if (!job.active.open_optional(args[0], "active", "?") || !job.losses.open(args[1], "losses", "d", true) ||
      !job.hits.open(args[2], "hits", "q", true) || !job.diverged.open(args[3], "diverged", "q", true)) {
    return false;
  }
  const auto fits = [&](const Array& array, const char* name) {
    return network.program.replicated ? array.check(name, each) : array.check(name, one);
  };
  job.epoch.losses = (double*)job.losses.data();
  job.epoch.hits = (int64_t*)job.hits.data();
  job.epoch.diverged = (int64_t*)job.diverged.data();
  return (job.active.empty() || job.active.check("active", each)) && fits(job.losses, "losses") &&
         fits(job.hits, "hits") && fits(job.diverged, "diverged");
}

bool has_rates(const Network& network, const Epoch& epoch) {
  const int64_t unrated = epoch.rates ? -1 : network.lacks_rate();
  const int64_t dry = network.lacks_generator();
  if (unrated >= 0) return refuse(PyExc_ValueError, "a learning rate for layers[%lld], got none", (long long)unrated);
  return dry < 0 || refuse(PyExc_ValueError, "a generator for layers[%lld], a Dropout, got none", (long long)dry);
}

// train(network, values, x, y, order, batch_size, loss, mean, threshold, optimizer, nesterov, settings, first, second,
// rates, t, active, losses, hits, diverged, threads): values, first, second and the three results are written
PyObject* train(PyObject* const* args, Py_ssize_t count) {
  Job job;
  Epoch& epoch = job.epoch;
  Network* network = read_count(count, 21) ? network_of(args[0]) : nullptr;
  if (!network || !job.values.open(args[1], "values", network->float_type(), true) ||
      !check_vectors(network->program, job.values, "values") || !read_loss(args + 5, epoch) ||
      !open_data(*network, args + 2, job) || !open_optimizer(*network, args + 9, job) ||
      !open_results(*network, args + 16, job) || !has_rates(*network, epoch) ||
      !read_integer(args[20], "threads", 1, INT64_MAX, job.threads)) {
    return nullptr;
  }
  const Program& program = network->program;
  const Kernel& kernel = network->kernel();
  epoch.values = job.values.data();
  const auto task = [&](int64_t r, void* workspace, Stop stop) {
    const bool active = job.active.empty() || ((const volatile char*)job.active.data())[r];
    if (active) return kernel.train(program, epoch, r, workspace, stop);
    epoch.losses[r] = NAN;
    epoch.hits[r] = epoch.diverged[r] = 0;
  };
  const size_t bytes = kernel.train_bytes(program, epoch.batch < epoch.samples ? epoch.batch : epoch.samples);
  return run_tasks(program.replicates, job.threads, bytes, task) ? none() : nullptr;
}

// step(network, values, gradients, optimizer, nesterov, settings, first, second, rates, t): values, first and second
// are written
PyObject* step(PyObject* const* args, Py_ssize_t count) {
  Job job;
  Array gradients;
  Epoch& epoch = job.epoch;
  epoch.samples = epoch.batch = 1;  // one step, and so one learning rate
  Network* network = read_count(count, 10) ? network_of(args[0]) : nullptr;
  if (!network || !job.values.open(args[1], "values", network->float_type(), true) ||
      !check_vectors(network->program, job.values, "values") ||
      !gradients.open(args[2], "gradients", network->float_type()) ||
      !check_vectors(network->program, gradients, "gradients") || !open_optimizer(*network, args + 3, job) ||
      (job.rates.empty() && !refuse(PyExc_ValueError, "a learning rate for the step, got None"))) {
    return nullptr;
  }
  epoch.values = job.values.data();
  PyThreadState* state = PyEval_SaveThread();
  for (int64_t r = 0; r < network->program.replicates; ++r) {
    network->kernel().step(network->program, epoch, r, gradients.data());
  }
  PyEval_RestoreThread(state);
  return none();
}

// function(kind, x, y, isa): y = exp(x) for kind 0, else the activation of that kind; for the tests of their digits
PyObject* function(PyObject* const* args, Py_ssize_t count) {
  Array x, y;
  int64_t kind;
  if (!read_count(count, 4) || !read_integer(args[0], "kind", 0, KINDS - 1, kind) || !x.open(args[1], "x", "fd") ||
      !y.open(args[2], "y", x.type() == 'f' ? "f" : "d", true) || !y.check("y", {x.elements()}) ||
      !x.check("x", {y.elements()})) {
    return nullptr;
  }
  PyObject* name = PyUnicode_AsASCIIString(args[3]);
  const Isa* isa = name ? find_isa(PyBytes_AsString(name)) : nullptr;
  Py_XDECREF(name);
  if (!isa) return nullptr;
  isa->kernels[x.type() == 'd'].function(kind, x.data(), y.data(), x.elements());
  return none();
}

PyObject* isas(PyObject* const*, Py_ssize_t count) { return read_count(count, 0) ? list_isas() : nullptr; }

// No C++ exception may reach Python, and memory that is not there is the only one to expect.
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
    method<make_network>("network"), method<predict>("predict"), method<train>("train"),
    method<step>("step"),
    method<function>("function"),    method<isas>("isas"),       {nullptr, nullptr, 0, nullptr},
};

PyModuleDef MODULE = {PyModuleDef_HEAD_INIT, "minidl_native._engine", nullptr, 0, METHODS, nullptr, nullptr, nullptr,
                      nullptr};

}  // namespace
}  // namespace minidl

PyMODINIT_FUNC PyInit__engine() { return PyModuleDef_Init(&minidl::MODULE); }
