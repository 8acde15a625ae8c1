// The L2 penalty of a loss, l2 / 2 Σ W² over the weights that are trained: the parameters with two axes.
#pragma once

#include "../interface.hpp"
#include "vector.hpp"

namespace minidl {
namespace MINIDL_ISA {

template <class F>
inline void each_weight(const Chain& chain, const F& f) {
  for (int64_t i = 0; i < chain.range_count; ++i) {
    if (chain.ranges[i].axes > 1) f(chain.ranges[i].start, chain.ranges[i].count);
  }
}

template <class T>
double penalty_of(const Chain& chain, const T* values, double l2) {
  double squares = 0;
  each_weight(chain, [&](int64_t start, int64_t n) { squares += squares_of<T>(values + start, n); });
  return l2 * (0.5 * squares);
}

// Add factor W to the gradient.
template <class T>
void pull(const Chain& chain, const T* values, T factor, T* gradient) {
  each_weight(chain, [&](int64_t start, int64_t n) {
    const T* __restrict w = values + start;
    T* __restrict g = gradient + start;
    for (int64_t i = 0; i < n; ++i) g[i] += factor * w[i];
  });
}

}  // namespace MINIDL_ISA
}  // namespace minidl
