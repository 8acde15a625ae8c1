#include "network.hpp"

#include "generators.hpp"

#include <atomic>

namespace minidl {
namespace {

std::atomic<int64_t> networks_made{0};

}  // namespace

Network::Network() : number_(++networks_made) {}

Network::~Network() {
  for (PyObject* owner : owners_) Py_DECREF(owner);
}

bool Network::read(PyObject* layers, PyObject* generators, PyObject* ranges, PyObject* branches, const char* isa) {
  isa_ = find_isa(isa);
  if (!isa_) return false;
  if (!PyTuple_Check(layers)) {
    return refuse(PyExc_TypeError, "layers to be a tuple, got %R", (PyObject*)Py_TYPE(layers));
  }
  chain.count = (int64_t)PyTuple_Size(layers);
  bool any = false;
  for (int64_t i = 0; i < chain.count; ++i) {
    if (!read_layer(PyTuple_GetItem(layers, (Py_ssize_t)i), i)) return false;
    any |= facts_of(layers_.back()).has_weights;
    measuring_ += count_of(facts_of(layers_.back()).statistics) > 0;
  }
  if (!any) return refuse(PyExc_ValueError, "at least one layer that has weights, got none");
  if (!read_generators(generators) || !read_ranges(ranges) || !read_branches(branches)) return false;
  chain.layers = layers_.data();
  chain.ranges = ranges_.data();
  chain.range_count = (int64_t)ranges_.size();
  chain.settings = settings_.data();
  chain.generators = generators_.data();
  return true;
}

bool Network::read_layer(PyObject* record, int64_t index) {
  PyObject* items[6];
  Layer layer = {};
  int64_t* const numbers[] = {&layer.in, &layer.out, &layer.weight, &layer.bias};
  const char* const names[] = {"in", "out", "weight", "bias"};
  if (!read_tuple(record, "a layer", 6, items) || !find_kind(KINDS.layers, items[0], "a layer", layer.kind)) {
    return false;
  }
  for (int i = 0; i < 4; ++i) {
    if (!read_integer(items[i + 1], names[i], INT64_MIN, INT64_MAX, *numbers[i])) return false;
  }
  const LayerFacts& facts = facts_of(layer);
  layer.branch = -1;
  layer.first_setting = (int64_t)settings_.size() / chain.replicates;
  if (!check_layer(layer, index) ||
      !read_settings(items[5], facts.settings, facts.name, chain.replicates, facts.has_weights, settings_)) {
    return false;
  }
  layers_.push_back(layer);
  return true;
}

bool Network::check_layer(const Layer& layer, int64_t index) const {
  constexpr int64_t widest = 1 << 24;  // far beyond any that would be fast; the products below cannot overflow
  const auto refuse_layer = [&](const char* what) {
    return refuse(PyExc_ValueError, "layers[%lld] %s", (long long)index, what);
  };
  if (layer.in < 1 || layer.out < 1 || layer.in > widest || layer.out > widest) {
    return refuse_layer("to have widths from 1 to 2**24, got another");
  }
  if (index && layers_.back().out != layer.in) {
    return refuse_layer("to be as wide as the layer below it, got another width");
  }
  const LayerFacts& facts = facts_of(layer);
  if ((facts.per_feature || !facts.has_weights) && layer.in != layer.out) {
    return refuse_layer("to keep its width, got two widths");
  }
  if (!facts.has_weights) {
    return (layer.weight == -1 && layer.bias == -1) || refuse_layer("to have no parameters, got some");
  }
  const int64_t weights = facts.per_feature ? layer.out : layer.in * layer.out;
  const auto inside = [&](int64_t start, int64_t count) {
    return start >= 0 && start <= chain.size && count <= chain.size - start;
  };
  const bool no_bias = layer.bias == -1 && !facts.per_feature;
  return (inside(layer.weight, weights) && (no_bias || inside(layer.bias, layer.out))) || refuse_layer("to have its parameters inside the vector, got a start outside");
}

bool Network::read_generators(PyObject* generators) {
  generators_.assign(layers_.size() * (size_t)chain.replicates, nullptr);
  // Copies of the lists, which nobody else can change. They keep the generators alive, in which their state lives.
  PyObject* lists = PyList_Check(generators) ? PyList_AsTuple(generators) : PyTuple_New(0);
  if (!lists) return false;
  owners_.push_back(lists);
  Interfaces interfaces;
  int64_t drawing = 0;
  for (size_t i = 0; i < layers_.size(); ++i) {
    if (!facts_of(layers_[i]).draws) continue;
    if (PyTuple_Size(lists) <= drawing) break;
    PyObject* list = PyTuple_GetItem(lists, (Py_ssize_t)drawing++);
    PyObject* own = list && PyList_Check(list) ? PyList_AsTuple(list) : nullptr;
    if (PyErr_Occurred()) return false;
    if (!own) return refuse(PyExc_ValueError, "lists of bit generators, one per replicate, got another object");
    owners_.push_back(own);
    if (PyTuple_Size(own) != chain.replicates) {
      return refuse(PyExc_ValueError, "a list of bit generators, one per replicate, got %R", own);
    }
    for (int64_t r = 0; r < chain.replicates; ++r) {
      PyObject* generator = PyTuple_GetItem(own, (Py_ssize_t)r);
      if (generator == Py_None) continue;
      BitGenerator* interface = interfaces.of(generator);
      if (!interface) return false;
      generators_[i * (size_t)chain.replicates + (size_t)r] = interface;
    }
  }
  return true;
}

bool Network::read_ranges(PyObject* ranges) {
  if (!PyTuple_Check(ranges)) {
    return refuse(PyExc_TypeError, "ranges to be a tuple, got %R", (PyObject*)Py_TYPE(ranges));
  }
  int64_t end = 0, trained = 0;
  for (Py_ssize_t i = 0; i < PyTuple_Size(ranges); ++i) {
    PyObject* items[4];
    Range range = {};
    if (!read_tuple(PyTuple_GetItem(ranges, i), "a range", 4, items) ||
        !read_integer(items[0], "the start of a range", end, chain.size, range.start) ||
        !read_integer(items[1], "the length of a range", 0, chain.size - range.start, range.count) ||
        !read_integer(items[2], "the layer of a range", 0, chain.count - 1, range.layer) ||
        !read_integer(items[3], "the axes of a range", 0, INT64_MAX, range.axes)) {
      return false;
    }
    Layer& layer = layers_[(size_t)range.layer];
    if (!facts_of(layer).has_weights) return refuse(PyExc_ValueError, "a range of a layer that has weights, got another");
    layer.trained = true;
    end = range.start + range.count;
    trained += range.count;
    ranges_.push_back(range);
  }
  chain.all_trained = trained == chain.size;
  return true;
}

bool Network::read_branches(PyObject* branches) {
  if (!PyTuple_Check(branches)) {
    return refuse(PyExc_TypeError, "branches to be a tuple, got %R", (PyObject*)Py_TYPE(branches));
  }
  for (Py_ssize_t i = 0; i < PyTuple_Size(branches); ++i) {
    PyObject* items[2];
    int64_t begin, end;
    if (!read_tuple(PyTuple_GetItem(branches, i), "a branch", 2, items) ||
        !read_integer(items[1], "the end of a branch", 0, chain.count - 1, end) ||
        !read_integer(items[0], "the begin of a branch", 0, end, begin)) {
      return false;
    }
    Layer &first = layers_[(size_t)begin], &last = layers_[(size_t)end];
    if (!facts_of(last).adds_branch || last.branch >= 0 || first.in != last.in) {
      return refuse(PyExc_ValueError, "a branch of layers[%lld] that adds one of its own width, got another",
                    (long long)end);
    }
    last.branch = begin;
    first.branches = true;
  }
  for (const Layer& layer : layers_) {
    if (facts_of(layer).adds_branch && layer.branch < 0) {
      return refuse(PyExc_ValueError, "a branch for every %s, got none for one", facts_of(layer).name);
    }
  }
  return true;
}

bool Network::check_training(bool rates) const {
  if (ranges_.empty()) return refuse(PyExc_ValueError, "a network of which something is trained, got all of it frozen");
  for (size_t i = 0; i < layers_.size(); ++i) {
    const LayerFacts& facts = facts_of(layers_[i]);
    if (!facts.draws && (rates || !facts.has_weights)) continue;
    for (int64_t r = 0; r < chain.replicates; ++r) {
      const double first = settings_[(size_t)(layers_[i].first_setting * chain.replicates + r)];
      if (layers_[i].trained && !rates && first != first) {
        return refuse(PyExc_ValueError, "a learning rate for layers[%lld], got none", (long long)i);
      }
      if (facts.draws && first != 0 && !generators_[i * (size_t)chain.replicates + (size_t)r]) {
        return refuse(PyExc_ValueError, "a generator for layers[%lld], a %s, got none", (long long)i, facts.name);
      }
    }
  }
  return true;
}

}  // namespace minidl
