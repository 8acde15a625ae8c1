// The layers without parameters: what minidl/activations.py and minidl/dropout.py compute, over whole padded blocks.
#pragma once

#include "engine.hpp"
#include "vector.hpp"

namespace minidl {
namespace MINIDL_ISA {

template <class T>
inline Vector<T> activated(int64_t kind, T alpha, Vector<T> x) {
  switch (kind) {
    case RELU: return x <= 0 ? Vector<T>{} : x;  // nan stays
    case LEAKY_RELU: return x > 0 ? x : alpha * x;
    case TANH: return tanh<T>(x);
    case SIGMOID: return sigmoid<T>(x);
    default: return x;
  }
}

// g times the derivative, from what was kept: y for tanh and sigmoid, else anything that is positive where x was.
template <class T>
inline Vector<T> derived(int64_t kind, T alpha, Vector<T> kept, Vector<T> g) {
  switch (kind) {
    case RELU: return g * (kept > 0 ? all<T>(1) : Vector<T>{});
    case LEAKY_RELU: return kept > 0 ? g : alpha * g;
    case TANH: return g * (1 - kept * kept);
    case SIGMOID: return g * (kept * (1 - kept));
    default: return g;
  }
}

template <class T, int64_t K>
void activate_as(T alpha, const T* x, T* y, int64_t n) {
  for (int64_t i = 0; i < n; i += LANES<T>) store(y + i, activated<T>(K, alpha, load(x + i)));
}

template <class T, int64_t K>
void derive_as(T alpha, const T* kept, T* g, int64_t n) {
  for (int64_t i = 0; i < n; i += LANES<T>) store(g + i, derived<T>(K, alpha, load(kept + i), load(g + i)));
}

// n is a multiple of the number of lanes.
template <class T>
void activate(int64_t kind, T alpha, const T* x, T* y, int64_t n) {
  switch (kind) {
    case RELU: return activate_as<T, RELU>(alpha, x, y, n);
    case LEAKY_RELU: return activate_as<T, LEAKY_RELU>(alpha, x, y, n);
    case TANH: return activate_as<T, TANH>(alpha, x, y, n);
    case SIGMOID: return activate_as<T, SIGMOID>(alpha, x, y, n);
    default: return x == y ? void() : activate_as<T, DROPOUT>(alpha, x, y, n);
  }
}

template <class T>
void derive(int64_t kind, T alpha, const T* kept, T* g, int64_t n) {
  switch (kind) {
    case RELU: return derive_as<T, RELU>(alpha, kept, g, n);
    case LEAKY_RELU: return derive_as<T, LEAKY_RELU>(alpha, kept, g, n);
    case TANH: return derive_as<T, TANH>(alpha, kept, g, n);
    case SIGMOID: return derive_as<T, SIGMOID>(alpha, kept, g, n);
  }
}

// Draw mask / (1 - p_drop) for a block, sample by sample: what `Generator.random(dtype=float32)` would draw.
template <class T>
void draw(BitGenerator* generator, double p_drop, int64_t rows, int64_t width, int64_t ld, T* factor) {
  const T scale = p_drop < 1 ? (T)(1 / (1 - p_drop)) : 0;
  for (int64_t i = 0; i < rows; ++i, factor += ld) {
    for (int64_t j = 0; j < width; ++j) {
      const float uniform = (float)(generator->next_uint32(generator->state) >> 8) * 0x1p-24f;
      factor[j] = uniform >= p_drop ? scale : 0;
    }
  }
}

template <class T>
void scale(const T* factor, const T* x, T* y, int64_t n) {
  for (int64_t i = 0; i < n; i += LANES<T>) store(y + i, load(x + i) * load(factor + i));
}

}  // namespace MINIDL_ISA
}  // namespace minidl
