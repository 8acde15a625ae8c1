// The work of a step, divided among the threads of a team. No number depends on how many there are: each element of a
// result is computed by one of them, from the same numbers in the same order.
#pragma once

#include "../interface.hpp"

namespace minidl {
namespace MINIDL_ISA {

struct Span {
  int64_t begin, end;

  int64_t length() const { return end - begin; }
};

// One of `count` threads.
struct Member {
  int64_t index, count;

  // Its part of 0 ... n - 1, whose borders are multiples of `grain`.
  Span part_of(int64_t n, int64_t grain = 1) const {
    const int64_t pieces = (n + grain - 1) / grain;
    const auto border = [&](int64_t i) {
      const int64_t at = pieces * i / count * grain;
      return at < n ? at : n;
    };
    return {border(index), border(index + 1)};
  }
};

constexpr Member ALONE = {0, 1};

// Call f(member) once for every member of a team, each in a thread of its own, and return when all are done.
template <class F>
inline void together(const Team* team, const F& f) {
  if (!team) return f(ALONE);
  struct Task {
    const F& f;
    int64_t count;
  } task = {f, team->count};
  const auto part = [](void* context, int64_t index) {
    const Task& own = *(const Task*)context;
    own.f(Member{index, own.count});
  };
  team->run(team->context, part, &task);
}

}  // namespace MINIDL_ISA
}  // namespace minidl
