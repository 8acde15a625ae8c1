// The optimizers, in one pass over a piece of the vectors. A new one is a struct here and an entry in the list at the
// end.
#pragma once

#include "kinds.hpp"

namespace minidl {
namespace MINIDL_ISA {

inline float root(float x) { return __builtin_sqrtf(x); }
inline double root(double x) { return __builtin_sqrt(x); }

// A piece of the vectors: parameters, gradient, and the optimizer's own (null where missing).
template <class T>
struct Piece {
  int64_t n;
  T* w;
  const T* g;
  T* vectors[MOST_VECTORS];
};

// A gradient plus weight decay. Without decay even an infinite parameter adds nothing.
template <class T>
inline T decayed(T g, T w, T decay) {
  return decay != 0 ? g + decay * w : g;
}

// Defaults of an optimizer. A struct derived from this one has
//
//   name                          the class in Python
//   settings                      names of its settings, in the order in which the formula reads them
//   vectors                       names of its vectors, which are as long as the parameters'
//   required                      how many of the vectors must be there; the others may be missing
//   one_pass                      whether its one pass is faster than NumPy on long vectors
//   step(piece, rate, t, settings)
//                                 changes the parameters and the vectors; t counts steps from 1
struct Optimizer {
  static constexpr Names settings = {}, vectors = {};
  static constexpr int64_t required = MOST_VECTORS;
  static constexpr bool one_pass = false;
};

struct SGD : Optimizer {
  static constexpr const char* name = "SGD";
  static constexpr Names settings = {{"momentum", "nesterov", "weight_decay"}};
  static constexpr Names vectors = {{"velocity"}};
  static constexpr int64_t required = 0;  // no velocity without momentum

  template <class T>
  static void step(const Piece<T>& piece, T rate, int64_t, Column settings) {
    T *__restrict w = piece.w, *__restrict velocity = piece.vectors[0];
    const T* __restrict gradient = piece.g;
    const T momentum = (T)settings[0], decay = (T)settings[2];
    const bool nesterov = settings[1] != 0;
    if (!velocity) {
      for (int64_t i = 0; i < piece.n; ++i) w[i] -= rate * decayed<T>(gradient[i], w[i], decay);
      return;
    }
    for (int64_t i = 0; i < piece.n; ++i) {
      const T g = decayed<T>(gradient[i], w[i], decay), v = momentum * velocity[i] + g;
      velocity[i] = v;
      w[i] -= rate * (nesterov ? g + momentum * v : v);
    }
  }
};

// Equations 14 to 16 of the report. The numbers of a step are rounded to the dtype once.
struct Adam : Optimizer {
  static constexpr const char* name = "Adam";
  static constexpr Names settings = {{"beta1", "beta2", "eps", "weight_decay"}};
  static constexpr Names vectors = {{"m", "v"}};
  static constexpr bool one_pass = true;

  template <class T>
  static void step(const Piece<T>& piece, T rate, int64_t t, Column settings) {
    T *__restrict w = piece.w, *__restrict first = piece.vectors[0], *__restrict second = piece.vectors[1];
    const T* __restrict gradient = piece.g;
    const T beta1 = (T)settings[0], beta2 = (T)settings[1], eps = (T)settings[2], decay = (T)settings[3];
    const T new1 = (T)(1 - settings[0]), correction1 = (T)(1 - __builtin_pow(settings[0], (double)t));
    const T new2 = (T)(1 - settings[1]), correction2 = (T)(1 - __builtin_pow(settings[1], (double)t));
    for (int64_t i = 0; i < piece.n; ++i) {
      const T g = decayed<T>(gradient[i], w[i], decay);
      const T m = beta1 * first[i] + new1 * g, v = beta2 * second[i] + new2 * (g * g);
      first[i] = m;
      second[i] = v;
      w[i] -= rate * (m / correction1 / (eps + root(v / correction2)));
    }
  }
};

using Optimizers = List<SGD, Adam>;

// Make the optimizer's t-th step of a replicate, with one learning rate for a piece.
template <class T>
void optimize(const Chain& chain, const Pass& pass, int64_t r, int64_t t, T rate, const Piece<T>& piece) {
  const Column settings = {pass.optimizer_settings + r, chain.replicates};
  visit(Optimizers(), pass.optimizer, [&](auto kind) { kind.template step<T>(piece, rate, t, settings); });
}

}  // namespace MINIDL_ISA
}  // namespace minidl
