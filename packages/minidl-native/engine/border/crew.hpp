// The threads that share the steps of one network.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "../interface.hpp"

namespace minidl {

constexpr int64_t MOST_THREADS = 256;

// Threads that wait for work: they spin for a moment, because in the middle of a step the next work comes at once, and
// then sleep. Each has its own part of every work. The thread that calls takes also the parts that nobody has begun
// when its own is done, so that it does not wait for threads that the system lets wait. They live as long as this
// object, and touch nothing of Python.
class Crew {
 public:
  // As many threads as the system gives, up to `count` with the one that calls.
  explicit Crew(int64_t count);
  ~Crew();
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  // Null where there is nobody but the thread that calls.
  const Team* team() const { return others_.empty() ? nullptr : &team_; }

 private:
  using Part = void (*)(void*, int64_t);

  // The last work of which a part is taken, in a line of the cache of its own.
  struct alignas(64) Taken {
    std::atomic<int64_t> work{0};
  };

  static void run(void* crew, Part part, void* context);
  void finish();
  void follow(int64_t index);
  void begin(Part part, void* context);
  bool take(int64_t index, int64_t work);
  template <class F>
  void wait(const F& ready, std::atomic<int64_t>& sleeping, std::condition_variable& wakes);
  void wake(std::atomic<int64_t>& sleeping, std::condition_variable& wakes);

  Team team_;
  Part part_ = nullptr;  // null ends the threads
  void* context_ = nullptr;
  std::unique_ptr<Taken[]> taken_;
  alignas(64) std::atomic<int64_t> work_{0};  // the number of the work that was begun last
  alignas(64) std::atomic<int64_t> left_{0};  // its parts, but the first, that are not done
  alignas(64) std::atomic<int64_t> idle_{0};
  std::atomic<int64_t> waiting_{0};
  std::mutex mutex_;
  std::condition_variable begun_, done_;
  std::vector<std::thread> others_;
};

}  // namespace minidl
