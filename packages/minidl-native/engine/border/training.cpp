#include "training.hpp"

#include "tasks.hpp"

#include <algorithm>
#include <cmath>

namespace minidl {
namespace {

// Multiplications of a step, and of a training or a validation, for which several threads are worthwhile.
constexpr double LEAST_OF_STEP = 2e6, LEAST_OF_ALL = 1e7;

// The multiplications of a prediction of one sample.
double products_of(const Chain& chain) {
  double products = 0;
  for (int64_t i = 0; i < chain.count; ++i) {
    const Layer& layer = chain.layers[i];
    if (layer.weight >= 0) products += (double)layer.in * (double)layer.out;
  }
  return products;
}

int64_t rows_of(const Pass& pass) { return std::min(pass.batch, pass.visited); }

// Whether a step is long beside the moments in which threads wait for each other, and all steps are beside the time in
// which a thread begins.
bool are_worth_sharing(const Chain& chain, const Job& job) {
  const double products = 3 * products_of(chain), all = (double)job.pass.visited * (double)job.epochs();
  return chain.replicates == 1 && (double)rows_of(job.pass) * products > LEAST_OF_STEP && all * products > LEAST_OF_ALL;
}

bool is_worth_sharing(const Chain& chain, const Evaluation& evaluation, const Job& job) {
  const double products = (double)job.pass.visited * products_of(chain);
  return chain.replicates == 1 && evaluation.shares() > 1 && products > LEAST_OF_ALL;
}

// The bytes of two pieces of memory, of which the second is there several times.
size_t sum_of(size_t one, size_t other, int64_t times) {
  size_t all = 0;
  const bool fits = !__builtin_mul_overflow(other, (size_t)times, &all) && !__builtin_add_overflow(all, one, &all);
  return fits ? all : TOO_LARGE;
}

}  // namespace

Training::Training(const Network& network, Job& job, Job* validation, int64_t threads)
    : network_(network),
      chain_(network.chain),
      kernel_(network.kernel()),
      job_(job),
      validation_(validation),
      threads_(threads) {
  if (validation) evaluation_.emplace(network, validation->pass);
  shares_steps_ = are_worth_sharing(chain_, job);
  shares_samples_ = evaluation_ && is_worth_sharing(chain_, *evaluation_, *validation);
  train_bytes_ = kernel_.train_bytes(chain_, rows_of(job.pass));
}

bool Training::run(Pool& pool) {
  job_.clear_result(chain_.replicates);
  if (validation_) validation_->clear_validation(chain_.replicates);
  if (shares_steps_ || shares_samples_) team_ = pool.team(std::min(threads_, MOST_THREADS));
  if (shares_steps_) job_.pass.team = team_;
  const auto task = [this](int64_t r, void* workspace, Stop stop) { train(r, (char*)workspace, stop); };
  return run_tasks(pool, layout(), chain_.replicates, threads_, task);
}

// The memory of the training, and behind it that of each thread that measures the validation set.
Layout Training::layout() const {
  const int64_t members = shares_samples_ && team_ ? team_->count : 1;
  Layout layout = {train_bytes_, network_.number(), rows_of(job_.pass), 0};
  if (evaluation_) {
    layout.bytes = sum_of(train_bytes_, evaluation_->bytes(), members);
    layout.validated = std::min(validation_->pass.visited, PREDICT_ROWS);
  }
  return layout;
}

void Training::train(int64_t replicate, char* workspace, Stop stop) {
  if (!job_.is_active(replicate)) {
    job_.pass.losses[replicate] = NAN;
    return;
  }
  for (int64_t epoch = 0; epoch < job_.epochs(); ++epoch) {
    const Pass own = job_.pass_of(epoch);
    kernel_.train(chain_, own, replicate, workspace, stop);
    if (own.diverged[replicate] || stop.ask(stop.context)) return;
    job_.keep_state(network_, epoch);
    if (validation_ && !validate(replicate, epoch, workspace + train_bytes_, stop)) return;
  }
}

bool Training::validate(int64_t replicate, int64_t epoch, char* memory, Stop stop) {
  if (!evaluation_->measure(replicate, shares_samples_ ? team_ : nullptr, memory, stop)) return false;
  const int64_t at = replicate + epoch;  // replicates have one epoch
  double& loss = validation_->pass.losses[at];
  evaluation_->add_up(replicate, loss, validation_->pass.hits[at]);
  return loss == loss;
}

}  // namespace minidl
