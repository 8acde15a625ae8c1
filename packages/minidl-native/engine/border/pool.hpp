// Threads, and the memory in which each of them works, for the calls of one training.
#pragma once

#include "crew.hpp"

#include <cstdlib>

namespace minidl {

// How a call lays out its memory. A kernel goes on with what a call of an equal layout has left there; see Kernel.
struct Layout {
  size_t bytes = 0;
  int64_t network = 0;    // its number; 0: no other layout is equal
  int64_t rows = 0;       // of a batch
  int64_t validated = 0;  // rows of a validation set that are computed together

  bool is_like(const Layout& other) const {
    return network && network == other.network && rows == other.rows && validated == other.validated &&
           bytes == other.bytes;
  }
};

// The memory of one thread, aligned to 64 bytes.
class Workspace {
 public:
  // Memory that is zeroed, or as a call of a like layout has left it; null if there is none.
  void* lay_out(const Layout& layout);

 private:
  std::unique_ptr<void, decltype(&std::free)> memory_{nullptr, &std::free};
  size_t size_ = 0;
  Layout layout_;
};

// Threads and memory are made when they are first needed. One call at a time uses a pool.
class Pool {
 public:
  Pool() = default;
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  ~Pool() { close(); }

  // Up to so many threads with the one that calls; null if there is no other.
  const Team* team(int64_t count);
  // The memory of a thread; see Workspace.
  void* workspace(size_t index, const Layout& layout);
  // End the threads and free the memory. The next call makes new ones.
  void close();

  // Whether the pool was free, and now is not until `leave`.
  bool enter() { return !used_.exchange(true); }
  void leave() { used_ = false; }

 private:
  void forget_threads_of_parent();

  std::unique_ptr<Crew> crew_;
  int64_t count_ = 0, process_ = 0;  // of threads that the crew was asked for, and the process that they belong to
  std::vector<Workspace> workspaces_;
  std::atomic<bool> used_{false};
};

// A pool for one call: a shared one, or one of its own where there is none, or another call uses it.
class Borrowed {
 public:
  explicit Borrowed(Pool* shared) : shared_(shared && shared->enter() ? shared : nullptr) {}
  Borrowed(const Borrowed&) = delete;
  Borrowed& operator=(const Borrowed&) = delete;
  ~Borrowed() {
    if (shared_) shared_->leave();
  }
  Pool& get() { return shared_ ? *shared_ : own_; }

 private:
  Pool* shared_;
  Pool own_;
};

}  // namespace minidl
