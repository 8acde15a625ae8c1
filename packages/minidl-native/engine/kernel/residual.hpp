// Residual: the sum of an input and of what a chain of layers makes of it.
#pragma once

#include "stage.hpp"

namespace minidl {
namespace MINIDL_ISA {

// It stands behind its inner layers, so its x is their output; the branch around them is the input of the first.
struct Residual : AnyLayer {
  static constexpr const char* name = "Residual";
  static constexpr bool needs_input = false, needs_output = false;
  static constexpr bool in_place = true, keeps = true, by_rows = true;
  static constexpr bool adds_branch = true;

  template <class T>
  static void add(const T* one, const T* other, T* to, int64_t n) {
    for (int64_t i = 0; i < n; i += LANES<T>) store(to + i, load(one + i) + load(other + i));
  }

  // y = branch + x
  template <class T>
  static void forward(const Stage<T>& s, int64_t rows, bool) {
    add<T>(s.branch, s.x, s.y, rows * s.out_ld);
  }

  // dx = dbranch = g. The second is kept, because the inner layers come first and may write over g.
  template <class T>
  static void backward(const Stage<T>& s, int64_t rows, const T* g, T* dx, T*) {
    copy(g, s.kept, rows * s.out_ld);
    if (g != dx) copy(g, dx, rows * s.out_ld);
  }

  // dx of the first inner layer, plus dbranch
  template <class T>
  static void join(const Stage<T>& s, int64_t rows, T* dx) {
    add<T>(dx, s.kept, dx, rows * s.out_ld);
  }

  template <class T>
  static void row(const Sample<T>& r) {
    for (int64_t j = 0; j < r.layer->out; ++j) r.y[j] = r.branch[j] + r.x[j];
  }
};

}  // namespace MINIDL_ISA
}  // namespace minidl
