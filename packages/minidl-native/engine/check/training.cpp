#include "training.hpp"

#include <cstdlib>
#include <cstring>
#include <memory>

namespace minidl {
namespace {

bool never(void*) { return false; }

// Zeroed memory, aligned to 64 bytes.
class Workspace {
 public:
  explicit Workspace(size_t bytes) : memory_(std::calloc(bytes + 64, 1), &std::free) {}
  void* get() const { return (void*)(((uintptr_t)memory_.get() + 63) / 64 * 64); }

 private:
  std::unique_ptr<void, decltype(&std::free)> memory_;
};

// A training in which numbers are of type T.
template <class T>
class Training {
 public:
  Training(const Vector& vector, const Kernel& kernel, const Catalogue& kinds, std::vector<std::string>& wrong)
      : vector_(vector), kernel_(kernel), network_(vector, kinds, wrong), wrong_(wrong) {
    read_loss(kinds);
    read_optimizer(kinds);
    read_samples();
  }

  Comparison run() {
    if (!wrong_.empty()) return comparison_;
    train();
    compare_training();
    load("_after");  // what follows begins where NumPy ended
    predict((int64_t)rows_.size() / network_.in());
    predict(3);  // of a few rows each is computed alone
    step();
    return comparison_;
  }

 private:
  std::vector<T> typed(const std::string& name) const {
    const std::vector<double>& from = vector_.reals(name);
    return {from.begin(), from.end()};
  }
  std::vector<double> all(const std::vector<T>& array) const { return numbers_of(array.data(), array.size()); }
  std::string statistic(const char* word, int64_t layer, int64_t i) const {
    return std::string(word) + "_" + std::to_string(layer) + "_" + std::to_string(i);
  }

  void read_loss(const Catalogue& kinds) {
    size_t place = 0;
    pass_.loss = find_kind(kinds.losses, vector_.word("loss"), wrong_);
    check_names(kinds.losses.first[pass_.loss].settings, vector_.words("loss_setting_names"), place, wrong_);
    loss_settings_ = vector_.reals("loss_settings");
    if (loss_settings_.empty()) loss_settings_.resize((size_t)network_.chain.replicates);  // a pointer to add to
    pass_.loss_settings = loss_settings_.data();
    pass_.mean = vector_.integer("mean") != 0;
    pass_.per_sample = vector_.integer("per_sample") != 0;
    pass_.counted = vector_.integer("counted") != 0;
    pass_.threshold = vector_.real("threshold");
    if (!vector_.reals("l2").empty()) pass_.l2 = vector_.reals("l2").data();
  }

  void read_optimizer(const Catalogue& kinds) {
    size_t place = 0;
    pass_.optimizer = find_kind(kinds.optimizers, vector_.word("optimizer"), wrong_);
    const OptimizerFacts& facts = kinds.optimizers.first[pass_.optimizer];
    check_names(facts.settings, vector_.words("optimizer_setting_names"), place, wrong_);
    pass_.optimizer_settings = vector_.reals("optimizer_settings").data();
    pass_.rate_step = network_.chain.replicates;
    pass_.rate_replicate = 1;
    load("");
  }

  // Take the parameters, vectors and statistics of the file, those before the training or those behind it.
  void load(const std::string& when) {
    values_ = typed("values" + when);
    pass_.values = values_.data();
    for (int64_t i = 0; i < MOST_VECTORS; ++i) {
      vectors_[i] = typed("vector" + when + "_" + std::to_string(i));
      pass_.vectors[i] = vectors_[i].empty() ? nullptr : vectors_[i].data();
    }
    const auto layers = (size_t)network_.chain.count;
    statistics_.assign(layers, {});
    numbers_.assign(layers * MOST_STATISTICS, {});
    batches_.assign(layers, {});
    const std::string word = "statistic" + when;
    for (size_t layer = 0; layer < layers; ++layer) {
      for (int64_t i = 0; i < MOST_STATISTICS; ++i) {
        const std::string name = statistic(word.c_str(), (int64_t)layer, i);
        std::vector<T>& numbers = numbers_[layer * MOST_STATISTICS + (size_t)i];
        numbers = typed(name);
        if (!numbers.empty()) statistics_[layer].at[i] = numbers.data();
        if (vector_.ints(name).empty()) continue;
        batches_[layer] = vector_.ints(name);
        statistics_[layer].at[i] = batches_[layer].data();
      }
    }
    pass_.statistics = statistics_.data();
  }

  void read_samples() {
    const auto replicates = (size_t)network_.chain.replicates;
    x_ = typed("x");
    y_ = typed("y");
    rows_ = typed("rows");
    pass_.samples = vector_.integer("samples");
    pass_.batch = vector_.integer("batch");
    pass_.target_cols = vector_.integer("target_cols");
    pass_.x = x_.data();
    const auto n = (size_t)pass_.samples;
    // A length beyond that of one network's array is that of one array for each replicate.
    const auto stride = [&](size_t length, size_t one) { return length > one ? (int64_t)(length / replicates) : 0; };
    pass_.x_stride = stride(x_.size(), n * (size_t)network_.in());
    const std::vector<int64_t>& classes = vector_.ints("classes");
    pass_.classes = !classes.empty();
    pass_.y = pass_.classes ? (const void*)classes.data() : y_.data();
    pass_.y_stride = pass_.classes ? stride(classes.size(), n) : stride(y_.size(), n * (size_t)pass_.target_cols);
    const std::vector<double>& weights = vector_.reals("weights");
    if (!weights.empty()) pass_.weights = weights.data();
    pass_.weight_stride = stride(weights.size(), n);
    read_orders();
  }

  void read_orders() {
    order_ = vector_.ints("order");
    short_order_.assign(order_.begin(), order_.end());
    pass_.visited = pass_.samples;
    pass_.order_is_32 = vector_.integer("order_is_32") != 0;
    epochs_ = vector_.integer("epochs");
    order_length_ = (int64_t)order_.size() / epochs_;
    pass_.order_stride = order_length_ > pass_.samples ? pass_.samples : 0;
  }

  // Train for all epochs, each in a pass of its own.
  void train() {
    const int64_t replicates = network_.chain.replicates;
    const int64_t most = pass_.batch < pass_.visited ? pass_.batch : pass_.visited;
    const int64_t steps = (pass_.visited - 1) / pass_.batch + 1;
    const std::vector<double>& rates = vector_.reals("rates");
    std::vector<int64_t> made((size_t)replicates), diverged((size_t)replicates);
    losses_.assign((size_t)(epochs_ * replicates), 0);
    hits_ = losses_;
    pass_.steps = made.data();
    pass_.diverged = diverged.data();
    for (int64_t epoch = 0; epoch < epochs_; ++epoch) {
      const int64_t first = epoch * order_length_;
      pass_.order = pass_.order_is_32 ? (const void*)(short_order_.data() + first) : order_.data() + first;
      pass_.t = epoch * steps;
      if (!rates.empty()) pass_.rates = rates.data() + pass_.t * replicates;
      pass_.losses = losses_.data() + epoch * replicates;
      pass_.hits = hits_.data() + epoch * replicates;
      for (int64_t r = 0; r < replicates; ++r) {
        const Workspace workspace(kernel_.train_bytes(network_.chain, most));
        kernel_.train(network_.chain, pass_, r, workspace.get(), {never, nullptr});
      }
    }
    pass_.t = epochs_ * steps;
  }

  void compare_training() {
    const double tolerance = vector_.real("tolerance");
    if (!network_.drawn()) wrong_.push_back("another number of words was drawn");
    comparison_.compare("values", all(values_), vector_.reals("values_after"), tolerance);
    comparison_.compare("losses", losses_, vector_.reals("loss_after"), tolerance);
    if (pass_.counted) {
      const double limit = vector_.real("slack") * (double)pass_.samples;
      comparison_.compare_within("hits", hits_, vector_.reals("hits_after"), limit);
    }
    for (int64_t i = 0; i < MOST_VECTORS; ++i) {
      const std::string name = "vector_after_" + std::to_string(i);
      comparison_.compare(name, all(vectors_[i]), vector_.reals(name), tolerance);
    }
    compare_statistics(tolerance);
  }

  // All together, because a mean may be zero but for rounding.
  void compare_statistics(double tolerance) {
    std::vector<double> ours, theirs;
    for (int64_t layer = 0; layer < network_.chain.count; ++layer) {
      for (int64_t i = 0; i < MOST_STATISTICS; ++i) {
        const std::string name = statistic("statistic_after", layer, i);
        const std::vector<T>& numbers = numbers_[(size_t)(layer * MOST_STATISTICS + i)];
        ours.insert(ours.end(), numbers.begin(), numbers.end());
        theirs.insert(theirs.end(), vector_.reals(name).begin(), vector_.reals(name).end());
        if (!vector_.ints(name).empty() && batches_[(size_t)layer] != vector_.ints(name)) {
          wrong_.push_back("another count of batches");
        }
      }
    }
    comparison_.compare("statistics", ours, theirs, tolerance);
  }

  // Compare the predictions of the first n rows.
  void predict(int64_t n) {
    const Chain& chain = network_.chain;
    const auto size = (size_t)(n * network_.out()), each = (size_t)((int64_t)rows_.size() / network_.in() * network_.out());
    const std::vector<double>& prediction = vector_.reals("prediction");
    std::vector<double> ours, theirs;
    for (int64_t r = 0; r < chain.replicates; ++r) {
      std::vector<T> y(size);
      const Workspace workspace(kernel_.predict_bytes(chain, n));
      kernel_.predict(chain, r, values_.data() + r * chain.size, pass_.statistics, rows_.data(), y.data(), n,
                      workspace.get());
      ours.insert(ours.end(), y.begin(), y.end());
      const double* expected = prediction.data() + (size_t)r * each;
      theirs.insert(theirs.end(), expected, expected + size);
    }
    comparison_.compare("prediction of " + std::to_string(n), ours, theirs, vector_.real("tolerance"));
  }

  // Compare a step with given gradients, where the file has some.
  void step() {
    const Chain& chain = network_.chain;
    const std::vector<T> gradients = typed("gradients");
    if (gradients.empty()) return;
    pass_.samples = pass_.visited = pass_.batch = 1;
    pass_.rates = vector_.reals("rates").data() + pass_.t * chain.replicates;
    for (int64_t r = 0; r < chain.replicates; ++r) kernel_.step(chain, pass_, r, gradients.data());
    comparison_.compare("step", all(values_), vector_.reals("values_stepped"), vector_.real("tolerance"));
  }

  const Vector& vector_;
  const Kernel& kernel_;
  Network network_;
  std::vector<std::string>& wrong_;
  Comparison comparison_;
  Pass pass_ = {};
  std::vector<T> values_, vectors_[MOST_VECTORS], x_, y_, rows_;
  std::vector<std::vector<T>> numbers_;
  std::vector<std::vector<int64_t>> batches_;
  std::vector<Statistics> statistics_;
  std::vector<int64_t> order_;
  std::vector<int32_t> short_order_;
  std::vector<double> loss_settings_, losses_, hits_;
  int64_t epochs_ = 0, order_length_ = 0;
};

}  // namespace

Comparison repeat(const Vector& vector, const Kernel& kernel, const Catalogue& kinds, std::vector<std::string>& wrong) {
  if (vector.word("dtype") == "float64") return Training<double>(vector, kernel, kinds, wrong).run();
  return Training<float>(vector, kernel, kinds, wrong).run();
}

}  // namespace minidl
