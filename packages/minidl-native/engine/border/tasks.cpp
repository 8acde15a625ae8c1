#include "tasks.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>
#include <vector>

namespace minidl {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto PATIENCE = std::chrono::milliseconds(50);

class Run {
 public:
  Run(int64_t count, const Task& task, std::vector<void*> workspaces)
      : count_(count), task_(task), workspaces_(std::move(workspaces)) {}

  // Work on the calling thread and on those of a team, if there is one.
  void spread(const Team* team) {
    if (!team) return watch();
    const auto part = [](void* run, int64_t index) {
      if (index) {
        ((Run*)run)->follow((size_t)index);
      } else {
        ((Run*)run)->watch();
      }
    };
    team->run(team->context, part, this);
  }

  bool stopped() const { return stopped_; }

 private:
  // Stops the others where the calling thread ends on its way, as a thread of Python does when the interpreter ends.
  struct Guard {
    Run& run;
    bool is_whole = false;

    ~Guard() {
      if (!is_whole) run.stopped_ = true;
    }
  };

  // Work on the calling thread, which also looks for signals, until all tasks are done.
  void watch() {
    Guard guard = {*this};
    state_ = PyEval_SaveThread();
    look_at_ = Clock::now() + PATIENCE;
    work(workspaces_[0], {&Run::look, this});
    std::unique_lock<std::mutex> lock(mutex_);
    while (busy_ && !done_.wait_for(lock, PATIENCE, [&] { return !busy_; })) {
      lock.unlock();
      look_for_signals();
      lock.lock();
    }
    lock.unlock();
    PyEval_RestoreThread(state_);
    guard.is_whole = true;
  }

  // Work on another thread. One that begins when all tasks are taken has nothing to do, and nobody waits for it.
  void follow(size_t index) {
    change_busy(1);
    work(workspaces_[index], {[](void* run) { return ((Run*)run)->stopped_.load(std::memory_order_relaxed); }, this});
    change_busy(-1);
  }

  void change_busy(int64_t by) {
    const std::lock_guard<std::mutex> lock(mutex_);
    busy_ += by;
    if (!busy_) done_.notify_all();
  }

  void work(void* workspace, Stop stop) {
    for (int64_t index = next_++; index < count_ && !stopped_; index = next_++) task_(index, workspace, stop);
  }

  static bool look(void* context) {
    Run* run = (Run*)context;
    if (!run->stopped_ && Clock::now() >= run->look_at_) run->look_for_signals();
    return run->stopped_;
  }

  void look_for_signals() {
    if (stopped_) return;
    PyEval_RestoreThread(state_);
    if (PyErr_CheckSignals() != 0) stopped_ = true;
    state_ = PyEval_SaveThread();
    look_at_ = Clock::now() + PATIENCE;
  }

  const int64_t count_;
  const Task& task_;
  const std::vector<void*> workspaces_;
  std::atomic<int64_t> next_{0};
  std::atomic<bool> stopped_{false};
  PyThreadState* state_ = nullptr;
  Clock::time_point look_at_;
  std::mutex mutex_;
  std::condition_variable done_;
  int64_t busy_ = 0;  // threads but the calling one
};

}  // namespace

bool run_tasks(Pool& pool, const Layout& layout, int64_t count, int64_t threads, const Task& task) {
  if (layout.bytes > SIZE_MAX / 2) return PyErr_NoMemory(), false;
  const int64_t workers = std::max<int64_t>(1, std::min({threads, count, MOST_THREADS}));
  std::vector<void*> workspaces((size_t)workers);
  for (size_t i = 0; layout.bytes && i < workspaces.size(); ++i) {
    workspaces[i] = pool.workspace(i, layout);
    if (!workspaces[i]) return PyErr_NoMemory(), false;
  }
  Run run(count, task, std::move(workspaces));
  run.spread(workers > 1 ? pool.team(workers) : nullptr);
  return !run.stopped();
}

bool run_tasks(int64_t count, int64_t threads, size_t bytes, const Task& task) {
  Pool pool;
  Layout layout;
  layout.bytes = bytes;
  return run_tasks(pool, layout, count, threads, task);
}

}  // namespace minidl
