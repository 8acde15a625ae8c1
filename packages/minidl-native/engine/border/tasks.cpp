#include "tasks.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace minidl {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto PATIENCE = std::chrono::milliseconds(50);

class Workspace {
 public:
  explicit Workspace(size_t bytes) : memory_(std::calloc(bytes + 64, 1), &std::free) {}
  void* get() const {
    return memory_ ? (void*)(((uintptr_t)memory_.get() + 63) / 64 * 64) : nullptr;
  }

 private:
  std::unique_ptr<void, decltype(&std::free)> memory_;
};

class Run {
 public:
  Run(int64_t count, const std::function<void(int64_t, void*, Stop)>& task) : count_(count), task_(task) {}

  // Work on the calling thread, which also looks for signals.
  void watch(void* workspace, const std::vector<std::thread>& others) {
    state_ = PyEval_SaveThread();
    look_at_ = Clock::now() + PATIENCE;
    work(workspace, {&Run::look, this});
    std::unique_lock<std::mutex> lock(mutex_);
    while (finished_ < others.size() && !done_.wait_for(lock, PATIENCE, [&] { return finished_ == others.size(); })) {
      lock.unlock();
      look_for_signals();
      lock.lock();
    }
    lock.unlock();
    PyEval_RestoreThread(state_);
  }

  void follow(void* workspace) {
    work(workspace, {[](void* run) { return ((Run*)run)->stopped_.load(std::memory_order_relaxed); }, this});
    const std::lock_guard<std::mutex> lock(mutex_);
    ++finished_;
    done_.notify_all();
  }

  bool stopped() const { return stopped_; }
  void stop() { stopped_ = true; }

 private:
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
  const std::function<void(int64_t, void*, Stop)>& task_;
  std::atomic<int64_t> next_{0};
  std::atomic<bool> stopped_{false};
  PyThreadState* state_ = nullptr;
  Clock::time_point look_at_;
  std::mutex mutex_;
  std::condition_variable done_;
  size_t finished_ = 0;
};

// The other threads. They are joined whatever happens: a thread of Python ends in the middle of `watch` when the
// interpreter does.
class Followers {
 public:
  Followers(Run& run, const std::vector<Workspace>& workspaces) : run_(run) {
    threads_.reserve(workspaces.size());
    try {
      while (threads_.size() + 1 < workspaces.size()) {
        threads_.emplace_back([&run, workspace = workspaces[threads_.size() + 1].get()] { run.follow(workspace); });
      }
    } catch (const std::exception&) {
      // The system gives no more threads; those that there are do the work.
    }
  }
  Followers(const Followers&) = delete;
  Followers& operator=(const Followers&) = delete;
  ~Followers() {
    run_.stop();
    for (std::thread& thread : threads_) thread.join();
  }
  const std::vector<std::thread>& threads() const { return threads_; }

 private:
  Run& run_;
  std::vector<std::thread> threads_;
};

}  // namespace

bool run_tasks(int64_t count, int64_t threads, size_t bytes,
               const std::function<void(int64_t, void*, Stop)>& task) {
  if (bytes > SIZE_MAX / 2) return PyErr_NoMemory(), false;
  const auto workers = (size_t)std::max<int64_t>(1, std::min<int64_t>({threads, count, 256}));
  std::vector<Workspace> workspaces;
  for (size_t i = 0; i < workers; ++i) {
    workspaces.emplace_back(bytes);
    if (!workspaces.back().get()) return PyErr_NoMemory(), false;
  }
  Run run(count, task);
  const Followers followers(run, workspaces);
  run.watch(workspaces[0].get(), followers.threads());
  return !run.stopped();
}

}  // namespace minidl
