// The arrays of a training, as numbers of type T, and the Pass that points into them.
#pragma once

#include "network.hpp"

namespace minidl {

// The vector must live as long as this object. `wrong` gets a message for each name that the kernels lack.
template <class T>
class Data {
 public:
  Data(const Vector& vector, const Catalogue& kinds, std::vector<std::string>& wrong)
      : network(vector, kinds, wrong), vector_(vector) {
    read_loss(kinds, wrong);
    read_optimizer(kinds, wrong);
    read_samples();
    load("");
  }
  Data(const Data&) = delete;
  Data& operator=(const Data&) = delete;

  // Take the parameters, vectors and statistics of the file, those before the training or those behind it.
  void load(const std::string& when) {
    values = typed("values" + when);
    pass.values = values.data();
    for (int64_t i = 0; i < MOST_VECTORS; ++i) {
      vectors[i] = typed("vector" + when + "_" + std::to_string(i));
      pass.vectors[i] = vectors[i].empty() ? nullptr : vectors[i].data();
    }
    const auto layers = (size_t)network.chain.count;
    statistics_.assign(layers, {});
    numbers.assign(layers * MOST_STATISTICS, {});
    batches.assign(layers, {});
    const std::string word = "statistic" + when;
    for (size_t layer = 0; layer < layers; ++layer) {
      for (size_t i = 0; i < MOST_STATISTICS; ++i) {
        const std::string name = statistic(word, layer, i);
        std::vector<T>& own = numbers[layer * MOST_STATISTICS + i];
        own = typed(name);
        if (!own.empty()) statistics_[layer].at[i] = own.data();
        if (vector_.ints(name).empty()) continue;
        batches[layer] = vector_.ints(name);
        statistics_[layer].at[i] = batches[layer].data();
      }
    }
    pass.statistics = statistics_.data();
  }

  // Let the pass take the order of an epoch.
  void take_order(int64_t epoch) {
    const int64_t first = epoch * order_length_;
    pass.order = pass.order_is_32 ? (const void*)(short_order_.data() + first) : order_.data() + first;
  }

  // Let the pass begin behind t steps.
  void take_rates(int64_t t) {
    const std::vector<double>& rates = vector_.reals("rates");
    pass.t = t;
    if (!rates.empty()) pass.rates = rates.data() + t * network.chain.replicates;
  }

  std::vector<T> typed(const std::string& name) const {
    const std::vector<double>& from = vector_.reals(name);
    return {from.begin(), from.end()};
  }
  static std::string statistic(const std::string& word, size_t layer, size_t i) {
    return word + "_" + std::to_string(layer) + "_" + std::to_string(i);
  }

  Network network;
  Pass pass = {};
  std::vector<T> values, vectors[MOST_VECTORS], rows;
  std::vector<std::vector<T>> numbers;        // of the statistics: MOST_STATISTICS for each layer
  std::vector<std::vector<int64_t>> batches;  // that each layer has counted
  int64_t epochs = 0;

 private:
  void read_loss(const Catalogue& kinds, std::vector<std::string>& wrong) {
    size_t place = 0;
    pass.loss = find_kind(kinds.losses, vector_.word("loss"), wrong);
    check_names(kinds.losses.first[pass.loss].settings, vector_.words("loss_setting_names"), place, wrong);
    loss_settings_ = vector_.reals("loss_settings");
    if (loss_settings_.empty()) loss_settings_.resize((size_t)network.chain.replicates);  // a pointer to add to
    pass.loss_settings = loss_settings_.data();
    pass.mean = vector_.integer("mean") != 0;
    pass.per_sample = vector_.integer("per_sample") != 0;
    pass.counted = vector_.integer("counted") != 0;
    pass.threshold = vector_.real("threshold");
    if (!vector_.reals("l2").empty()) pass.l2 = vector_.reals("l2").data();
  }

  void read_optimizer(const Catalogue& kinds, std::vector<std::string>& wrong) {
    size_t place = 0;
    pass.optimizer = find_kind(kinds.optimizers, vector_.word("optimizer"), wrong);
    const OptimizerFacts& facts = kinds.optimizers.first[pass.optimizer];
    check_names(facts.settings, vector_.words("optimizer_setting_names"), place, wrong);
    pass.optimizer_settings = vector_.reals("optimizer_settings").data();
    pass.rate_step = network.chain.replicates;
    pass.rate_replicate = 1;
  }

  void read_samples() {
    const auto replicates = (size_t)network.chain.replicates;
    x_ = typed("x");
    y_ = typed("y");
    rows = typed("rows");
    pass.samples = vector_.integer("samples");
    pass.batch = vector_.integer("batch");
    pass.target_cols = vector_.integer("target_cols");
    pass.x = x_.data();
    const auto n = (size_t)pass.samples;
    // A length beyond that of one network's array is that of one array for each replicate.
    const auto stride = [&](size_t length, size_t one) { return length > one ? (int64_t)(length / replicates) : 0; };
    pass.x_stride = stride(x_.size(), n * (size_t)network.in());
    const std::vector<int64_t>& classes = vector_.ints("classes");
    pass.classes = !classes.empty();
    pass.y = pass.classes ? (const void*)classes.data() : y_.data();
    pass.y_stride = pass.classes ? stride(classes.size(), n) : stride(y_.size(), n * (size_t)pass.target_cols);
    const std::vector<double>& weights = vector_.reals("weights");
    if (!weights.empty()) pass.weights = weights.data();
    pass.weight_stride = stride(weights.size(), n);
    read_orders();
  }

  void read_orders() {
    order_ = vector_.ints("order");
    short_order_.assign(order_.begin(), order_.end());
    pass.visited = pass.samples;
    pass.order_is_32 = vector_.integer("order_is_32") != 0;
    epochs = vector_.integer("epochs");
    order_length_ = (int64_t)order_.size() / epochs;
    pass.order_stride = order_length_ > pass.samples ? pass.samples : 0;
  }

  const Vector& vector_;
  std::vector<T> x_, y_;
  std::vector<Statistics> statistics_;
  std::vector<int64_t> order_;
  int64_t order_length_ = 0;  // of one epoch, for all replicates
  std::vector<int32_t> short_order_;
  std::vector<double> loss_settings_;
};

}  // namespace minidl
