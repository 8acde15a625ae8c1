#include "pool.hpp"

#include <cstring>

#ifndef _WIN32
#include <unistd.h>
#endif

namespace minidl {
namespace {

int64_t this_process() {
#ifdef _WIN32
  return 1;  // which has no fork
#else
  return (int64_t)getpid();
#endif
}

}  // namespace

void* Workspace::lay_out(const Layout& layout) {
  const size_t bytes = layout.bytes + 64;  // to align it
  if (!memory_ || size_ < bytes) {
    memory_.reset();
    size_ = bytes;
    memory_.reset(std::calloc(bytes, 1));
    if (!memory_) return nullptr;
  } else if (!layout_.is_like(layout)) {
    std::memset(memory_.get(), 0, bytes);
  }
  layout_ = layout;
  return (void*)(((uintptr_t)memory_.get() + 63) / 64 * 64);
}

const Team* Pool::team(int64_t count) {
  forget_threads_of_parent();
  if (!crew_ || count_ != count) {
    crew_.reset();
    crew_ = std::make_unique<Crew>(count);
    count_ = count;
    process_ = this_process();
  }
  return crew_->team();
}

void* Pool::workspace(size_t index, const Layout& layout) {
  if (workspaces_.size() <= index) workspaces_.resize(index + 1);
  return workspaces_[index].lay_out(layout);
}

void Pool::close() {
  forget_threads_of_parent();
  crew_.reset();
  workspaces_.clear();
}

// A process that was forked has the memory of its parent but not its threads: nobody can join them here.
void Pool::forget_threads_of_parent() {
  if (crew_ && process_ != this_process()) (void)crew_.release();
}

}  // namespace minidl
