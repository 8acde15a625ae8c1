// The optimizers: what minidl/optim.py computes, in one pass over a piece of the vector.
#pragma once

#include "engine.hpp"
#include "vector.hpp"

namespace minidl {
namespace MINIDL_ISA {

inline float root(float x) { return __builtin_sqrtf(x); }
inline double root(double x) { return __builtin_sqrt(x); }

// A piece of the vectors: parameters, gradient, and the optimizer's memory.
template <class T>
struct Piece {
  int64_t n;
  T* __restrict w;
  const T* __restrict g;
  T *__restrict first, *__restrict second;
};

// The gradient with the pull of weight decay; without one even an infinite parameter pulls by nothing.
template <class T>
inline T pulled(const Piece<T>& p, int64_t i, T decay) {
  return decay != 0 ? p.g[i] + decay * p.w[i] : p.g[i];
}

template <class T>
void descend(Piece<T> p, T rate, T decay) {
  for (int64_t i = 0; i < p.n; ++i) p.w[i] -= rate * pulled<T>(p, i, decay);
}

template <class T>
void descend_with_momentum(Piece<T> p, T rate, T decay, T momentum, bool nesterov) {
  for (int64_t i = 0; i < p.n; ++i) {
    const T g = pulled<T>(p, i, decay), v = momentum * p.first[i] + g;
    p.first[i] = v;
    p.w[i] -= rate * (nesterov ? g + momentum * v : v);
  }
}

// The numbers of a step of Adam: eq. 14 to 16, rounded to the dtype once.
template <class T>
struct AdamNumbers {
  T beta1, new1, correction1, beta2, new2, correction2, eps;
};

template <class T>
void descend_by_moments(Piece<T> p, T rate, T decay, AdamNumbers<T> a) {
  for (int64_t i = 0; i < p.n; ++i) {
    const T g = pulled<T>(p, i, decay);
    const T m = a.beta1 * p.first[i] + a.new1 * g, v = a.beta2 * p.second[i] + a.new2 * (g * g);
    p.first[i] = m;
    p.second[i] = v;
    p.w[i] -= rate * (m / a.correction1 / (a.eps + root(v / a.correction2)));
  }
}

// One step of replicate `r`, the `t`-th of the optimizer, with one learning rate for a piece.
template <class T>
void optimize(const Epoch& epoch, int64_t replicates, int64_t r, int64_t t, T rate, Piece<T> piece) {
  const double *settings = epoch.settings + r, beta1 = settings[0], beta2 = settings[replicates];
  const T decay = (T)settings[3 * replicates];
  if (epoch.optimizer == ADAM) {
    const AdamNumbers<T> numbers = {
        (T)beta1, (T)(1 - beta1), (T)(1 - __builtin_pow(beta1, (double)t)),
        (T)beta2, (T)(1 - beta2), (T)(1 - __builtin_pow(beta2, (double)t)), (T)settings[2 * replicates]};
    descend_by_moments<T>(piece, rate, decay, numbers);
  } else if (epoch.first) {
    descend_with_momentum<T>(piece, rate, decay, (T)beta1, epoch.nesterov);
  } else {
    descend<T>(piece, rate, decay);
  }
}

}  // namespace MINIDL_ISA
}  // namespace minidl
