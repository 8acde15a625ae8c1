#include "records.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace minidl {
namespace {

// The largest of some indices as numbers without a sign, in which one below 0 is very large; 0 without any.
template <class Unsigned>
uint64_t largest_of(const Array& array) {
  const auto* indices = (const Unsigned*)array.data();
  Unsigned largest = 0;
  for (int64_t i = 0; i < array.elements(); ++i) largest = std::max(largest, indices[i]);
  return largest;
}

bool check_indices(const Array& array, int64_t count, const char* name) {
  const bool narrow = array.type() == 'i';
  const uint64_t largest = narrow ? largest_of<uint32_t>(array) : largest_of<uint64_t>(array);
  for (int64_t i = 0; largest >= (uint64_t)count && i < array.elements(); ++i) {
    const int64_t index = narrow ? ((const int32_t*)array.data())[i] : ((const int64_t*)array.data())[i];
    if (index < 0 || index >= count) {
      return refuse(PyExc_ValueError, "%s from 0 to %lld, got %lld", name, (long long)(count - 1), (long long)index);
    }
  }
  return true;
}

bool read_bool(PyObject* object, const char* name, bool& value) {
  value = object == Py_True;
  return PyBool_Check(object) || refuse(PyExc_TypeError, "%s to be a bool, got %R", name, (PyObject*)Py_TYPE(object));
}

}  // namespace

bool open_samples(const Network& network, PyObject* object, Array& x, int64_t& n, int64_t& stride) {
  const Chain& chain = network.chain;
  if (!x.open(object, "x", network.float_type())) return false;
  const bool each = chain.replicated && x.axes() == 3;
  n = x.axes() < 2 ? 0 : x.length(x.axes() - 2);
  stride = each ? n * network.in() : 0;
  return chain.replicated ? x.check("x", {n, network.in()}, {chain.replicates, n, network.in()})
                          : x.check("x", {n, network.in()});
}

bool check_vectors(const Chain& chain, const Array& array, const char* name) {
  return chain.replicated ? array.check(name, {chain.replicates, chain.size}) : array.check(name, {chain.size});
}

bool Measured::open(const Network& network, PyObject* statistics, bool writable) {
  PyObject* items[1];
  const Chain& chain = network.chain;
  const Py_ssize_t count = network.measuring();
  if (!count) return read_tuple(statistics, "statistics", 0, items);
  std::vector<PyObject*> mappings((size_t)count);
  if (!read_tuple(statistics, "statistics", count, mappings.data())) return false;
  layers_.assign((size_t)chain.count, {});
  for (int64_t i = 0, next = 0; i < chain.count; ++i) {
    const Layer& layer = chain.layers[i];
    if (!count_of(KINDS.layers.first[layer.kind].statistics)) continue;
    if (!open_layer(network, layer, mappings[(size_t)next++], writable, layers_[(size_t)i])) return false;
  }
  return true;
}

bool Measured::open_layer(const Network& network, const Layer& layer, PyObject* mapping, bool writable,
                          Statistics& found) {
  const LayerFacts& facts = KINDS.layers.first[layer.kind];
  const int64_t replicates = network.chain.replicates, count = count_of(facts.statistics);
  Named arrays;
  if (!arrays.open(mapping, facts.statistics, "statistic", facts.name)) return false;
  for (int64_t i = 0; i < count; ++i) {
    const char* name = facts.statistics.at[i];
    const bool counts = i == count - 1;
    Array& array = arrays_.emplace_back();
    if (!array.open(arrays[i], name, counts ? "q" : network.float_type(), writable)) return false;
    const bool fits = network.chain.replicated
                          ? (counts ? array.check(name, {replicates}) : array.check(name, {replicates, layer.out}))
                          : (counts ? array.check(name, {}) : array.check(name, {layer.out}));
    if (!fits) return false;
    found.at[i] = array.data();
  }
  return true;
}

bool Job::open_values(const Network& network, PyObject* values, bool writable) {
  if (!values_.open(values, "values", network.float_type(), writable)) return false;
  pass.values = values_.data();
  return check_vectors(network.chain, values_, "values");
}

bool Job::open_statistics(const Network& network, PyObject* statistics, bool writable) {
  if (!measured_.open(network, statistics, writable)) return false;
  pass.statistics = measured_.data();
  return true;
}

bool Job::check_batches(const Network& network) const {
  if (!pass.visited) return true;
  const int64_t last = (pass.visited - 1) % pass.batch + 1;
  for (int64_t i = 0; i < network.chain.count; ++i) {
    const LayerFacts& facts = KINDS.layers.first[network.chain.layers[i].kind];
    if (last < facts.least_batch) {
      return refuse(PyExc_ValueError, "at least %lld samples in every batch for layers[%lld], a %s, got %lld",
                    (long long)facts.least_batch, (long long)i, facts.name, (long long)last);
    }
  }
  return true;
}

bool Job::open_data(const Network& network, PyObject* samples, PyObject* loss, bool several) {
  PyObject* items[5];
  if (!read_loss(network, loss) || !read_tuple(samples, "samples", 5, items) ||
      !open_samples(network, items[0], x_, pass.samples, pass.x_stride) ||
      !open_targets(network, items[1], KINDS.losses.first[pass.loss]) || !open_order(network, items[2], several) ||
      !open_weights(network, items[4])) {
    return false;
  }
  pass.x = x_.data();
  return read_integer(items[3], "batch_size", 1, INT64_MAX / 2, pass.batch);
}

bool Job::open_targets(const Network& network, PyObject* y, const LossFacts& loss) {
  const Chain& chain = network.chain;
  const int64_t n = pass.samples, replicates = chain.replicates;
  int64_t out = 0;
  if (!count_targets(network, loss, out)) return false;
  pass.target_cols = out;
  const char* with_classes = chain.is_double ? "dq" : "fq";
  if (!y_.open(y, "y", loss.takes_classes ? with_classes : network.float_type())) return false;
  pass.y = y_.data();
  pass.classes = y_.type() == 'q';
  const bool each = chain.replicated && y_.axes() == (pass.classes ? 2 : 3);
  pass.y_stride = each ? n * (pass.classes ? 1 : out) : 0;
  if (pass.classes) {
    return (each ? y_.check("y", {replicates, n}) : y_.check("y", {n})) && check_indices(y_, out, "class indices");
  }
  return each ? y_.check("y", {replicates, n, out}) : y_.check("y", {n, out});
}

bool Job::count_targets(const Network& network, const LossFacts& loss, int64_t& count) const {
  int64_t outputs = loss.outputs;
  if (!outputs) {
    const auto replicates = (size_t)network.chain.replicates;
    while (outputs < count_of(loss.settings) && !std::isnan(loss_settings_[(size_t)outputs * replicates])) ++outputs;
  }
  if (!outputs || network.out() % outputs) {
    return refuse(PyExc_ValueError, "%lld outputs for each target of %s, got %lld outputs", (long long)outputs, loss.name,
                  (long long)network.out());
  }
  count = network.out() / outputs;
  return (outputs == 1 || !pass.counted) ||
         refuse(PyExc_ValueError, "a threshold of None for %s, whose outputs are no classes", loss.name);
}

bool Job::open_weights(const Network& network, PyObject* weights) {
  const int64_t n = pass.samples, replicates = network.chain.replicates;
  if (!weights_.open_optional(weights, "weights", "d")) return false;
  if (weights_.empty()) return true;
  const bool each = network.chain.replicated && weights_.axes() == 2;
  pass.weights = (const double*)weights_.data();
  pass.weight_stride = each ? n : 0;
  return each ? weights_.check("weights", {replicates, n}) : weights_.check("weights", {n});
}

bool Job::open_order(const Network& network, PyObject* order, bool several) {
  const int64_t n = pass.samples, replicates = network.chain.replicates;
  pass.visited = n;
  if (!order_.open_optional(order, "order", "iq")) return false;
  if (order_.empty()) return true;
  const bool each = network.chain.replicated && order_.axes() == 2;
  const int64_t visited = order_.axes() ? order_.length(order_.axes() - 1) : n;
  pass.visited = visited;
  pass.order = order_.data();
  pass.order_stride = each ? visited : 0;
  pass.order_is_32 = order_.type() == 'i';
  if (several && !network.chain.replicated && order_.axes() == 2 && order_.length(0)) {
    several_ = true;
    epochs_ = order_.length(0);
    return check_indices(order_, n, "order");
  }
  return (each ? order_.check("order", {replicates, visited}) : order_.check("order", {visited})) &&
         check_indices(order_, n, "order");
}

bool Job::read_loss(const Network& network, PyObject* loss) {
  PyObject* items[6];
  if (!read_tuple(loss, "loss", 6, items) || !find_kind(KINDS.losses, items[0], "a loss", pass.loss)) return false;
  const LossFacts& facts = KINDS.losses.first[pass.loss];
  if (facts.needs_probabilities && !network.gives_probabilities()) {
    return refuse(PyExc_ValueError, "predictions that are probabilities for %s, got those of another last layer",
                  facts.name);
  }
  if (!read_bool(items[1], "mean", pass.mean) || !read_bool(items[4], "per_sample", pass.per_sample)) return false;
  pass.counted = items[2] != Py_None;
  if (pass.counted && !read_numbers(items[2], "threshold", 1, &pass.threshold)) return false;
  if (!read_settings(items[3], facts.settings, facts.name, network.chain.replicates, false, loss_settings_)) {
    return false;
  }
  // A kernel takes the column of its replicate, also where a loss has no rows: that pointer must point somewhere.
  if (loss_settings_.empty()) loss_settings_.resize((size_t)network.chain.replicates);
  pass.loss_settings = loss_settings_.data();
  return read_penalty(network, items[5]);
}

bool Job::read_penalty(const Network& network, PyObject* l2) {
  l2_.resize((size_t)network.chain.replicates);
  if (!read_numbers(l2, "l2", network.chain.replicates, l2_.data())) return false;
  const bool good = std::all_of(l2_.begin(), l2_.end(), [](double each) { return each >= 0 && std::isfinite(each); });
  const bool any = std::any_of(l2_.begin(), l2_.end(), [](double each) { return each != 0; });
  pass.l2 = any ? l2_.data() : nullptr;
  return good || refuse(PyExc_ValueError, "l2 to be finite and >= 0, got %R", l2);
}

bool Job::open_optimizer(const Network& network, PyObject* optimizer) {
  PyObject* items[5];
  if (!read_tuple(optimizer, "optimizer", 5, items) ||
      !find_kind(KINDS.optimizers, items[0], "an optimizer", pass.optimizer)) {
    return false;
  }
  const OptimizerFacts& facts = KINDS.optimizers.first[pass.optimizer];
  if (!read_settings(items[1], facts.settings, facts.name, network.chain.replicates, false, optimizer_settings_) ||
      !open_vectors(network, items[2], facts) || !open_rates(network, items[3])) {
    return false;
  }
  pass.optimizer_settings = optimizer_settings_.data();
  return read_integer(items[4], "t", 0, INT64_MAX / 2, pass.t);
}

bool Job::open_vectors(const Network& network, PyObject* vectors, const OptimizerFacts& optimizer) {
  Named found;
  if (!found.open(vectors, optimizer.vectors, "vector", optimizer.name)) return false;
  for (int64_t i = 0; optimizer.vectors.at[i]; ++i) {
    const char* name = optimizer.vectors.at[i];
    Array& vector = vectors_[i];
    if (!vector.open_optional(found[i], name, network.float_type(), true)) return false;
    if (vector.empty()) {
      if (i >= optimizer.required) continue;
      return refuse(PyExc_ValueError, "vector %s of %s, got None", name, optimizer.name);
    }
    if (!check_vectors(network.chain, vector, name)) return false;
    pass.vectors[i] = vector.data();
  }
  return true;
}

bool Job::open_rates(const Network& network, PyObject* rates) {
  const int64_t steps = epochs_ * steps_of_epoch(), replicates = network.chain.replicates;
  if (PyFloat_Check(rates)) {
    rate_ = PyFloat_AsDouble(rates);
    pass.rates = &rate_;  // with strides of zero: all steps of all replicates
    return true;
  }
  if (!rates_.open_optional(rates, "rates", "d")) return false;
  if (rates_.empty()) return true;
  if (!rates_.check("rates", {steps}, {steps, replicates})) return false;
  pass.rates = (const double*)rates_.data();
  pass.rate_replicate = rates_.axes() == 2;
  pass.rate_step = rates_.axes() == 2 ? replicates : 1;
  return true;
}

bool Job::open_result(const Network& network, PyObject* result, PyObject* active) {
  PyObject* items[5];
  const Shape each = {network.chain.replicates}, one = {}, epochs = {epochs_};
  if (!read_tuple(result, "the result", 5, items) || !active_.open_optional(active, "active", "?") ||
      (!active_.empty() && !active_.check("active", each))) {
    return false;
  }
  const auto open = [&](Array& array, int index, const char* name, const char* type) {
    return array.open(items[index], name, type, true) &&
           array.check(name, network.chain.replicated ? each : several_ ? epochs : one);
  };
  if (!open(losses_, 0, "loss", "d") || !open(hits_, 1, "hits", "d") || !open(steps_, 2, "steps", "q") ||
      !open(diverged_, 3, "diverged", "q") || !open_states(network, items[4])) {
    return false;
  }
  pass.losses = (double*)losses_.data();
  pass.hits = (double*)hits_.data();
  pass.steps = (int64_t*)steps_.data();
  pass.diverged = (int64_t*)diverged_.data();
  return true;
}

bool Job::open_states(const Network& network, PyObject* states) {
  if (!states_.open_optional(states, "states", network.float_type(), true)) return false;
  if (states_.empty()) return true;
  if (!several_) return refuse(PyExc_ValueError, "states of None without several orders, got an array");
  return states_.check("states", {epochs_, network.chain.size});
}

void Job::keep_state(const Network& network, int64_t epoch) const {
  if (states_.empty()) return;
  const size_t bytes = (size_t)network.chain.size * (network.chain.is_double ? sizeof(double) : sizeof(float));
  std::memcpy((char*)states_.data() + (size_t)epoch * bytes, pass.values, bytes);
}

bool Job::read_adds(PyObject* adds) {
  return read_integer(adds, "adds", 0, 1, adds_);
}

bool Job::open_validation(const Network& network, PyObject* validation, const Job& training) {
  const About about_it("validation: ");
  PyObject* items[3];
  pass.values = training.pass.values;
  pass.statistics = training.pass.statistics;
  several_ = training.several_;
  epochs_ = training.epochs_;
  return read_tuple(validation, "the record", 3, items) && open_data(network, items[0], items[1]) &&
         open_result(network, items[2], Py_None) &&
         (states_.empty() || refuse(PyExc_ValueError, "states of None, got an array"));
}

void Job::clear_result(int64_t replicates) {
  const int64_t count = replicates * epochs_;
  for (double* result : {pass.losses, pass.hits}) {
    if (!adds_) std::fill(result, result + count, 0.0);
  }
  for (int64_t* result : {pass.steps, pass.diverged}) std::fill(result, result + count, 0);
}

void Job::clear_validation(int64_t replicates) {
  clear_result(replicates);
  std::fill(pass.losses, pass.losses + replicates * epochs_, NAN);
}

}  // namespace minidl
