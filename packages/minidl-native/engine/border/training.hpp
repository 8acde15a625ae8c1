// A training: the epochs of a job, and the validation set that is measured after each.
#pragma once

#include "evaluation.hpp"
#include "pool.hpp"

#include <optional>

namespace minidl {

class Training {
 public:
  // The jobs are open, that of the validation set may be null; all must live as long as this.
  Training(const Network& network, Job& job, Job* validation, int64_t threads);

  // Make the steps, with the threads and the memory of a pool. Returns false with a Python error, as `run_tasks` does;
  // the results then say what was done.
  bool run(Pool& pool);

 private:
  // Train a replicate: all epochs, up to a loss of nan in the training or the validation, or until it is stopped.
  void train(int64_t replicate, char* workspace, Stop stop);
  // Measure the validation set; returns false if the training ends with that.
  bool validate(int64_t replicate, int64_t epoch, char* memory, Stop stop);

  Layout layout() const;

  const Network& network_;
  const Chain& chain_;
  const Kernel& kernel_;
  Job& job_;
  Job* validation_;
  std::optional<Evaluation> evaluation_;
  int64_t threads_;
  bool shares_steps_, shares_samples_;
  size_t train_bytes_;
  const Team* team_ = nullptr;
};

}  // namespace minidl
