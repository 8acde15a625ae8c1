// The records of a training (samples, loss, optimizer, result), opened and checked against the network.
#pragma once

#include "network.hpp"

#include <deque>

namespace minidl {

// Samples as the network takes them; `n` and `stride` become their number and the distance between replicates.
bool open_samples(const Network& network, PyObject* object, Array& x, int64_t& n, int64_t& stride);

// Refuse vectors that are not one for each replicate, or the one of a single network.
bool check_vectors(const Chain& chain, const Array& array, const char* name);

// The statistics of all layers, open as long as this lives.
class Measured {
 public:
  // statistics: a tuple with a mapping of arrays by name for each layer that has any
  bool open(const Network& network, PyObject* statistics, bool writable);
  // One for each layer; null where no layer has any.
  const Statistics* data() const { return layers_.empty() ? nullptr : layers_.data(); }

 private:
  bool open_layer(const Network& network, const Layer& layer, PyObject* mapping, bool writable, Statistics& found);

  std::deque<Array> arrays_;
  std::vector<Statistics> layers_;
};

// A training's arrays, open as long as this lives, and the Pass that points into them.
class Job {
 public:
  // The parameters, which are changed if they are writable.
  bool open_values(const Network& network, PyObject* values, bool writable = true);
  // The statistics, as Measured takes them, which are changed if they are writable.
  bool open_statistics(const Network& network, PyObject* statistics, bool writable = true);
  // samples: (x, y, order or None, batch_size, weights or None)
  // loss: (kind, mean, threshold or None, settings, per_sample, l2)
  // several: whether a single network may have several orders, (epochs, visited), each of an epoch of its own
  bool open_data(const Network& network, PyObject* samples, PyObject* loss, bool several = false);
  // Refuse a batch with fewer samples than a layer needs. Behind `open_data`.
  bool check_batches(const Network& network) const;
  // optimizer: (kind, settings, vectors, rates or one rate or None, t)
  bool open_optimizer(const Network& network, PyObject* optimizer);
  // result: (loss, hits, steps, diverged, states or None), one for each epoch of several; active: bool for each
  // replicate, or None
  bool open_result(const Network& network, PyObject* result, PyObject* active);
  // validation: (samples, loss, result), to be measured after each epoch of a training, with its values and statistics
  bool open_validation(const Network& network, PyObject* validation, const Job& training);

  // adds: whether losses and hits go on from what stands in the result
  bool read_adds(PyObject* adds);

  // Note the parameters as the state of an epoch, where states are asked for.
  void keep_state(const Network& network, int64_t epoch) const;
  void clear_result(int64_t replicates);
  void clear_validation(int64_t replicates);  // the loss of what is never measured is nan
  bool is_active(int64_t replicate) const {
    return active_.empty() || ((const volatile char*)active_.data())[replicate];
  }

  int64_t epochs() const { return epochs_; }
  // The pass of one epoch of several: of replicates, which have one, the whole.
  Pass pass_of(int64_t epoch) const {
    Pass own = pass;
    const int64_t steps = epoch * steps_of_epoch();
    if (pass.order) own.order = (const char*)pass.order + epoch * pass.visited * (pass.order_is_32 ? 4 : 8);
    if (pass.rates) own.rates = pass.rates + steps * pass.rate_step;
    own.t = pass.t + steps;
    own.losses = pass.losses + epoch;
    own.hits = pass.hits + epoch;
    own.steps = pass.steps + epoch;
    own.diverged = pass.diverged + epoch;
    return own;
  }

  Pass pass = {};

 private:
  bool open_targets(const Network& network, PyObject* y, const LossFacts& loss);
  bool count_targets(const Network& network, const LossFacts& loss, int64_t& count) const;
  bool open_weights(const Network& network, PyObject* weights);
  bool open_order(const Network& network, PyObject* order, bool several);
  bool read_loss(const Network& network, PyObject* loss);
  bool read_penalty(const Network& network, PyObject* l2);
  bool open_vectors(const Network& network, PyObject* vectors, const OptimizerFacts& optimizer);
  bool open_rates(const Network& network, PyObject* rates);
  bool open_states(const Network& network, PyObject* states);
  int64_t steps_of_epoch() const { return pass.visited ? (pass.visited - 1) / pass.batch + 1 : 0; }

  Measured measured_;
  Array values_, x_, y_, weights_, order_, rates_, active_, vectors_[MOST_VECTORS], losses_, hits_, steps_, diverged_,
      states_;
  std::vector<double> loss_settings_, optimizer_settings_, l2_;
  int64_t adds_ = 0;
  bool several_ = false;  // whether there is a number for each epoch, of which there may be one
  int64_t epochs_ = 1;
  double rate_ = 0;
};

}  // namespace minidl
