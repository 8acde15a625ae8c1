// A network as the engine runs it, checked once when it is made.
#pragma once

#include "kinds.hpp"

namespace minidl {

// A Chain, what it points to, and the objects that keep that alive.
class Network {
 public:
  Network();
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;
  ~Network();

  // Read the layers, each a tuple (kind, in, out, weight, bias, settings by name), and for each layer that draws a list
  // of one bit generator per replicate, or None for a replicate that draws nothing; and the parameters that are trained,
  // each a tuple (start, count, layer, axes), in order; and for each layer that adds a branch a tuple (begin, end): the
  // layer `end` adds the input of `begin`. The chain's other fields are set.
  bool read(PyObject* layers, PyObject* generators, PyObject* ranges, PyObject* branches, const char* isa);

  const Kernel& kernel() const { return isa_->kernels[chain.is_double]; }
  const char* float_type() const { return chain.is_double ? "d" : "f"; }
  int64_t in() const { return layers_.front().in; }
  int64_t out() const { return layers_.back().out; }
  bool gives_probabilities() const { return facts_of(layers_.back()).gives_probabilities; }
  // Refuse a training in which a layer would draw from a generator that it lacks or, unless there are `rates` of the
  // steps, would need a learning rate of its own that it lacks; and one in which nothing is trained.
  bool check_training(bool rates) const;
  // A number that no other network has, also not one that is made when this is gone. Counted from 1.
  int64_t number() const { return number_; }
  // The number of layers that have statistics.
  int64_t measuring() const { return measuring_; }

  Chain chain = {};

 private:
  static const LayerFacts& facts_of(const Layer& layer) { return KINDS.layers.first[layer.kind]; }
  bool read_layer(PyObject* record, int64_t index);
  bool check_layer(const Layer& layer, int64_t index) const;
  bool read_generators(PyObject* generators);
  bool read_ranges(PyObject* ranges);
  bool read_branches(PyObject* branches);

  const int64_t number_;
  std::vector<Layer> layers_;
  std::vector<Range> ranges_;
  std::vector<double> settings_;
  std::vector<BitGenerator*> generators_;
  std::vector<PyObject*> owners_;
  const Isa* isa_ = nullptr;
  int64_t measuring_ = 0;
};

}  // namespace minidl
