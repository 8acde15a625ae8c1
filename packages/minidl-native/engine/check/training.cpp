#include "training.hpp"

#include "data.hpp"

#include <cstdlib>
#include <cstring>
#include <memory>

namespace minidl {
namespace {

bool never(void*) { return false; }

// A team whose parts are done one after the other, the last one first. Its numbers must be those of one thread.
constexpr int64_t MEMBERS = 3;
void one_by_one(void*, void (*part)(void*, int64_t), void* context) {
  for (int64_t i = MEMBERS; i-- > 0;) part(context, i);
}
constexpr Team TEAM = {MEMBERS, &one_by_one, nullptr};

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
      : vector_(vector), kernel_(kernel), data_(vector, kinds, wrong), shared_(vector, kinds, wrong), wrong_(wrong) {}

  Comparison run() {
    if (!wrong_.empty()) return comparison_;
    train(shared_, &TEAM);
    train(data_, nullptr);
    if (!same(shared_.values, data_.values)) wrong_.push_back("a team of three computes other numbers");
    compare_training();
    data_.load("_after");  // what follows begins where NumPy ended
    predict((int64_t)data_.rows.size() / data_.network.in());
    predict(3);  // of a few rows each is computed alone
    step();
    return comparison_;
  }

 private:
  // Train for all epochs, each in a pass of its own.
  void train(Data<T>& data, const Team* team) {
    Pass& pass = data.pass;
    const Chain& chain = data.network.chain;
    pass.team = team;
    const int64_t most = pass.batch < pass.visited ? pass.batch : pass.visited;
    const int64_t steps = (pass.visited - 1) / pass.batch + 1;
    std::vector<int64_t> made((size_t)chain.replicates), diverged((size_t)chain.replicates);
    losses_.assign((size_t)(data.epochs * chain.replicates), 0);
    hits_ = losses_;
    pass.steps = made.data();
    pass.diverged = diverged.data();
    for (int64_t epoch = 0; epoch < data.epochs; ++epoch) {
      data.take_order(epoch);
      data.take_rates(epoch * steps);
      pass.losses = losses_.data() + epoch * chain.replicates;
      pass.hits = hits_.data() + epoch * chain.replicates;
      for (int64_t r = 0; r < chain.replicates; ++r) {
        const Workspace workspace(kernel_.train_bytes(chain, most));
        kernel_.train(chain, pass, r, workspace.get(), {never, nullptr});
      }
    }
    data.take_rates(data.epochs * steps);  // of a step behind them
  }

  static bool same(const std::vector<T>& a, const std::vector<T>& b) {
    return a.size() == b.size() && !std::memcmp(a.data(), b.data(), a.size() * sizeof(T));
  }

  void compare(const std::string& name, const std::vector<T>& ours, const std::string& theirs) {
    comparison_.compare(name, {ours.begin(), ours.end()}, vector_.reals(theirs), vector_.real("tolerance"));
  }

  void compare_training() {
    if (!data_.network.drawn()) wrong_.push_back("another number of words was drawn");
    compare("values", data_.values, "values_after");
    comparison_.compare("losses", losses_, vector_.reals("loss_after"), vector_.real("tolerance"));
    if (data_.pass.counted) {
      const double limit = vector_.real("slack") * (double)data_.pass.samples;
      comparison_.compare_within("hits", hits_, vector_.reals("hits_after"), limit);
    }
    for (int64_t i = 0; i < MOST_VECTORS; ++i) {
      const std::string name = "vector_after_" + std::to_string(i);
      compare(name, data_.vectors[i], name);
    }
    compare_statistics();
  }

  // All together, because a mean may be zero but for rounding.
  void compare_statistics() {
    std::vector<double> ours, theirs;
    for (size_t layer = 0; layer < data_.batches.size(); ++layer) {
      for (size_t i = 0; i < MOST_STATISTICS; ++i) {
        const std::string name = data_.statistic("statistic_after", layer, i);
        const std::vector<T>& numbers = data_.numbers[layer * MOST_STATISTICS + i];
        ours.insert(ours.end(), numbers.begin(), numbers.end());
        theirs.insert(theirs.end(), vector_.reals(name).begin(), vector_.reals(name).end());
        const std::vector<int64_t>& batches = vector_.ints(name);
        if (!batches.empty() && data_.batches[layer] != batches) wrong_.push_back("another count of batches");
      }
    }
    comparison_.compare("statistics", ours, theirs, vector_.real("tolerance"));
  }

  // Compare the predictions of the first n rows.
  void predict(int64_t n) {
    const Chain& chain = data_.network.chain;
    const int64_t in = data_.network.in(), out = data_.network.out();
    const auto size = (size_t)(n * out), each = data_.rows.size() / (size_t)in * (size_t)out;
    std::vector<double> ours, theirs;
    for (int64_t r = 0; r < chain.replicates; ++r) {
      std::vector<T> y(size);
      const Workspace workspace(kernel_.predict_bytes(chain, n));
      kernel_.predict(chain, r, data_.values.data() + r * chain.size, data_.pass.statistics, data_.rows.data(),
                      y.data(), n, workspace.get());
      ours.insert(ours.end(), y.begin(), y.end());
      const double* expected = vector_.reals("prediction").data() + (size_t)r * each;
      theirs.insert(theirs.end(), expected, expected + size);
    }
    comparison_.compare("prediction of " + std::to_string(n), ours, theirs, vector_.real("tolerance"));
  }

  // Compare a step with given gradients, where the file has some.
  void step() {
    const Chain& chain = data_.network.chain;
    const std::vector<T> gradients = data_.typed("gradients");
    if (gradients.empty()) return;
    data_.pass.samples = data_.pass.visited = data_.pass.batch = 1;
    for (int64_t r = 0; r < chain.replicates; ++r) kernel_.step(chain, data_.pass, r, gradients.data());
    compare("step", data_.values, "values_stepped");
  }

  const Vector& vector_;
  const Kernel& kernel_;
  Data<T> data_, shared_;  // trained alone, and by the team
  std::vector<std::string>& wrong_;
  Comparison comparison_;
  std::vector<double> losses_, hits_;
};

}  // namespace

Comparison repeat(const Vector& vector, const Kernel& kernel, const Catalogue& kinds, std::vector<std::string>& wrong) {
  if (vector.word("dtype") == "float64") return Training<double>(vector, kernel, kinds, wrong).run();
  return Training<float>(vector, kernel, kinds, wrong).run();
}

}  // namespace minidl
