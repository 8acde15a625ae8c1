#include "crew.hpp"

#include <chrono>
#include <exception>

namespace minidl {
namespace {

using Clock = std::chrono::steady_clock;
// Longer than one thread waits for another within a step, and short beside the time that it takes to wake one.
constexpr auto SPIN = std::chrono::microseconds(50);

inline void pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("yield");
#endif
}

}  // namespace

Crew::Crew(int64_t count) : team_{1, &Crew::run, this}, taken_(new Taken[(size_t)(count > 1 ? count : 1)]) {
  others_.reserve((size_t)(count > 1 ? count - 1 : 0));
  try {
    for (int64_t i = 1; i < count; ++i) others_.emplace_back([this, i] { follow(i); });
  } catch (const std::exception&) {
    // The system gives no more threads, or no memory for them; those that there are do the work.
  }
  team_.count = (int64_t)others_.size() + 1;
}

Crew::~Crew() {
  begin(nullptr, nullptr);
  for (std::thread& other : others_) other.join();
}

void Crew::run(void* self, Part part, void* context) {
  // At the end of this block, also where the calling thread ends in its part: the others still work on the context.
  struct Finish {
    Crew& crew;
    ~Finish() { crew.finish(); }
  } finish = {*(Crew*)self};
  finish.crew.begin(part, context);
  part(context, 0);
}

// Take the parts that nobody has begun, and wait for the others.
void Crew::finish() {
  for (int64_t i = 1; i < team_.count; ++i) {
    if (!take(i, work_)) continue;
    part_(context_, i);
    --left_;
  }
  wait([&] { return left_ == 0; }, waiting_, done_);
}

void Crew::begin(Part part, void* context) {
  part_ = part;
  context_ = context;
  left_ = (int64_t)others_.size();
  ++work_;
  wake(idle_, begun_);
}

void Crew::follow(int64_t index) {
  for (int64_t seen = 0;;) {
    wait([&] { return work_ != seen; }, idle_, begun_);
    seen = work_;
    if (!take(index, seen)) continue;
    if (!part_) return;
    part_(context_, index);
    if (--left_ == 0) wake(waiting_, done_);
  }
}

// All parts of a work are taken before the next one begins. So whoever takes one may read what the work is: it will not
// change before that part is done.
bool Crew::take(int64_t index, int64_t work) {
  int64_t before = work - 1;
  return taken_[(size_t)index].work.compare_exchange_strong(before, work);
}

template <class F>
void Crew::wait(const F& ready, std::atomic<int64_t>& sleeping, std::condition_variable& wakes) {
  const auto end = Clock::now() + SPIN;
  do {
    for (int i = 0; i < 64; ++i) {
      if (ready()) return;
      pause();
    }
  } while (Clock::now() < end);
  std::unique_lock<std::mutex> lock(mutex_);
  ++sleeping;  // before it looks again: whoever makes it ready then sees that somebody sleeps
  wakes.wait(lock, ready);
  --sleeping;
}

void Crew::wake(std::atomic<int64_t>& sleeping, std::condition_variable& wakes) {
  if (sleeping == 0) return;
  { const std::lock_guard<std::mutex> lock(mutex_); }  // until it has begun to wait
  wakes.notify_all();
}

}  // namespace minidl
