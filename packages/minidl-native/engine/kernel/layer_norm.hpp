// LayerNorm: mean 0 and variance 1 over the features of each sample, then a weight and a bias for each feature.
#pragma once

#include "optimizers.hpp"
#include "stage.hpp"

namespace minidl {
namespace MINIDL_ISA {

// The sum of f over the elements of some arrays.
template <class T, class F, class... Rest>
inline T total(int64_t n, const F& f, const T* x, const Rest*... rest) {
  Vector<T> sums = {};
  int64_t j = 0;
  for (; j + LANES<T> <= n; j += LANES<T>) sums += f(load(x + j), load(rest + j)...);
  if (j < n) sums += first<T>(f(load_part(x + j, n - j), load_part(rest + j, n - j)...), n - j);
  return sum<T>(sums);
}

// Write f of each element of some arrays.
template <class T, class F, class... Rest>
inline void each(int64_t n, T* to, const F& f, const T* x, const Rest*... rest) {
  for (int64_t j = 0; j < n; j += LANES<T>) {
    store_most(to + j, f(load_most(x + j, n - j), load_most(rest + j, n - j)...), n - j);
  }
}

struct LayerNorm : AnyLayer {
  static constexpr const char* name = "LayerNorm";
  static constexpr Names settings = {{"lr", "eps"}};
  static constexpr bool needs_output = false;
  static constexpr bool in_place = true;
  static constexpr bool has_weights = true, per_feature = true;

  // Mean of a sample, and 1 / the root of its variance.
  template <class T>
  struct Spread {
    T mean, inverse;

    template <class V>
    V normal(V v) const {
      return (v - mean) * inverse;
    }
  };

  template <class T>
  static Spread<T> spread_of(const T* x, int64_t n, double eps) {
    const T mean = total<T>(n, [](auto v) { return v; }, x) / n;
    const T variance = total<T>(n, [mean](auto v) { return (v - mean) * (v - mean); }, x) / n;
    return {mean, 1 / root(variance + (T)eps)};
  }

  // y = weight n + bias with the normal n = (x - mean) / root
  template <class T>
  static void normalize(const T* x, int64_t n, double eps, const T* weight, const T* bias, T* y) {
    const Spread<T> at = spread_of<T>(x, n, eps);
    each<T>(n, y, [at](auto v, auto w, auto b) { return w * at.normal(v) + b; }, x, weight, bias);
  }

  template <class T>
  static void forward(const Stage<T>& s, int64_t rows, bool) {
    for (int64_t i = 0; i < rows; ++i) {
      const int64_t at = i * s.out_ld;
      normalize<T>(s.x + at, s.layer->out, s.settings[1], s.weight, s.bias_values, s.y + at);
    }
  }

  // dweight = the sum of g n over the samples, dbias = that of g; dn = g weight, and
  // dx = (dn - mean(dn) - n mean(dn n)) / root
  template <class T>
  static void backward(const Stage<T>& s, int64_t rows, const T* g, T* dx, T* gradient) {
    const int64_t n = s.layer->out;
    T* dweight = gradient ? gradient + s.layer->weight : nullptr;
    if (gradient) {
      sum_rows<T>(g, rows, n, s.out_ld, gradient + s.layer->bias);
      for (int64_t j = 0; j < n; ++j) dweight[j] = 0;
    }
    for (int64_t i = 0; i < rows; ++i) {
      const T *x = s.x + i * s.out_ld, *dy = g + i * s.out_ld;
      const Spread<T> at = spread_of<T>(x, n, s.settings[1]);
      if (gradient) {
        each<T>(n, dweight, [at](auto d, auto u, auto v) { return d + u * at.normal(v); }, dweight, dy, x);
      }
      if (!dx) continue;
      const T mean = total<T>(n, [](auto u, auto w) { return u * w; }, dy, s.weight) / n;
      const T slope = total<T>(n, [at](auto u, auto w, auto v) { return u * w * at.normal(v); }, dy, s.weight, x) / n;
      const auto input_gradient = [at, mean, slope](auto u, auto w, auto v) {
        return (u * w - mean - at.normal(v) * slope) * at.inverse;
      };
      each<T>(n, dx + i * s.out_ld, input_gradient, dy, s.weight, x);
    }
  }

  template <class T>
  static void row(const Sample<T>& r) {
    const T *weight = r.values + r.layer->weight, *bias = r.values + r.layer->bias;
    normalize<T>(r.x, r.layer->out, r.settings[1], weight, bias, r.y);
  }
};

}  // namespace MINIDL_ISA
}  // namespace minidl
