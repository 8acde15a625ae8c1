// The losses, for one replicate's batch. A new one is a struct here and an entry in the list at the end.
#pragma once

#include "kinds.hpp"

namespace minidl {
namespace MINIDL_ISA {

// The C library's functions by their own names: the overloads of <cmath> are functions that would be shared.
inline float log_of(float x) { return __builtin_logf(x); }
inline double log_of(double x) { return __builtin_log(x); }
inline float log1p_of(float x) { return __builtin_log1pf(x); }
inline double log1p_of(double x) { return __builtin_log1p(x); }

template <class T>
inline T at_least(T x, T least) {
  return x < least ? least : x;  // nan stays
}

// A batch: `f`, the prediction, in rows that lie `ld` apart, and the target rows that `index` picks from `y`.
template <class T>
struct Batch {
  int64_t rows, cols, ld;
  const T* f;
  const void* y;
  bool classes;
  const int64_t* index;

  const T* target(int64_t row) const { return (const T*)y + index[row] * cols; }
  // In bounds even if somebody changes the targets after they were checked.
  int64_t label(int64_t row) const {
    const int64_t label = ((const volatile int64_t*)y)[index[row]];
    return label >= 0 && label < cols ? label : 0;
  }
};

// Defaults of a loss. A struct derived from this one has
//
//   name                     the class in Python
//   settings                 names of its settings, in the order in which the formula reads them
//   takes_classes            whether targets may be class indices (`batch.classes`)
//   mean_over_rows           whether a mean is over samples only, and not over features too
//   needs_probabilities      whether predictions must lie between 0 and 1
//   sum(batch, count, settings, g)
//                            the sum of the batch's losses; writes its gradient, divided by `count`, to g, whose rows
//                            lie as those of f
struct Loss {
  static constexpr Names settings = {};
  static constexpr bool takes_classes = false, mean_over_rows = false, needs_probabilities = false;
};

struct MSELoss : Loss {
  static constexpr const char* name = "MSELoss";

  template <class T>
  static double sum(const Batch<T>& batch, T count, const Numbers<T>&, T* g) {
    double total = 0;
    const T scale = (T)(2 / (double)count);
    for (int64_t i = 0; i < batch.rows; ++i, g += batch.ld) {
      const T *f = batch.f + i * batch.ld, *y = batch.target(i);
      for (int64_t j = 0; j < batch.cols; ++j) {
        const T difference = f[j] - y[j];
        total += difference * difference;
        g[j] = difference * scale;
      }
    }
    return total;
  }
};

struct BCELoss : Loss {
  static constexpr const char* name = "BCELoss";
  static constexpr bool needs_probabilities = true;

  template <class T>
  static double sum(const Batch<T>& batch, T count, const Numbers<T>&, T* g) {
    double total = 0;
    const T least = (T)(double)1e-12f;
    for (int64_t i = 0; i < batch.rows; ++i, g += batch.ld) {
      const T *f = batch.f + i * batch.ld, *y = batch.target(i);
      for (int64_t j = 0; j < batch.cols; ++j) {
        const T log_f = at_least<T>(log_of(f[j]), -100), log_1f = at_least<T>(log1p_of(-f[j]), -100);
        total += -(y[j] * log_f + (1 - y[j]) * log_1f);
        g[j] = (f[j] - y[j]) / at_least<T>(f[j] * (1 - f[j]), least) / count;
      }
    }
    return total;
  }
};

struct BCEWithLogitsLoss : Loss {
  static constexpr const char* name = "BCEWithLogitsLoss";

  template <class T>
  static double sum(const Batch<T>& batch, T count, const Numbers<T>&, T* g) {
    double total = 0;
    for (int64_t i = 0; i < batch.rows; ++i, g += batch.ld) {
      const T *x = batch.f + i * batch.ld, *y = batch.target(i);
      for (int64_t k = 0; k < batch.ld; k += LANES<T>) {  // exp(-|x|), from which both come
        const Vector<T> v = load(x + k);
        store(g + k, exp<T>(v > 0 ? -v : v));
      }
      for (int64_t j = 0; j < batch.cols; ++j) {
        total += at_least<T>(x[j], 0) - x[j] * y[j] + log1p_of(g[j]);
        g[j] = ((x[j] < 0 ? g[j] : 1) / (1 + g[j]) - y[j]) / count;
      }
    }
    return total;
  }
};

struct CrossEntropyLoss : Loss {
  static constexpr const char* name = "CrossEntropyLoss";
  static constexpr bool takes_classes = true, mean_over_rows = true;

  template <class T>
  static double sum(const Batch<T>& batch, T count, const Numbers<T>&, T* g) {
    double total = 0;
    const int64_t cols = batch.cols;
    for (int64_t i = 0; i < batch.rows; ++i, g += batch.ld) {
      const T* x = batch.f + i * batch.ld;
      T most = x[0], terms = 0, mass = 1;
      for (int64_t j = 1; j < cols; ++j) most = x[j] > most || x[j] != x[j] ? x[j] : most;
      for (int64_t k = 0; k < batch.ld; k += LANES<T>) store(g + k, exp<T>(load(x + k) - most));
      for (int64_t j = 0; j < cols; ++j) terms += g[j];
      const T log_sum = log_of(terms);
      for (int64_t k = 0; k < batch.ld; k += LANES<T>) store(g + k, exp<T>((load(x + k) - most) - log_sum));
      if (batch.classes) {
        const int64_t label = batch.label(i);
        total += -((x[label] - most) - log_sum);
        g[label] -= 1;
        for (int64_t j = 0; j < cols; ++j) g[j] /= count;
      } else {
        const T* p = batch.target(i);
        T term = mass = 0;
        for (int64_t j = 0; j < cols; ++j) {
          term += p[j] * ((x[j] - most) - log_sum);
          mass += p[j];
        }
        total -= term;
        for (int64_t j = 0; j < cols; ++j) g[j] = (g[j] * mass - p[j]) / count;
      }
    }
    return total;
  }
};

using Losses = List<MSELoss, BCELoss, BCEWithLogitsLoss, CrossEntropyLoss>;

// The loss of a batch, rounded to the dtype, in which it may be infinite; g gets its gradient.
template <class T>
T loss_of(const Pass& pass, Column settings, const Batch<T>& batch, T* g) {
  return visit(Losses(), pass.loss, [&](auto kind) {
    const T count = pass.mean ? (T)(batch.rows * (kind.mean_over_rows ? 1 : batch.cols)) : 1;
    return (T)kind.template sum<T>(batch, count, numbers_of<T>(kind, settings), g) / count;
  });
}

// The class that a row names, as minidl reads it; nan counts as the largest, as in NumPy.
template <class T>
int64_t class_of(const T* row, int64_t cols, T threshold) {
  if (cols == 1) return row[0] > threshold;
  if (cols == 2) return row[1] > row[0];
  int64_t best = 0;
  for (int64_t j = 1; j < cols && row[best] == row[best]; ++j) {
    if (row[j] > row[best] || row[j] != row[j]) best = j;
  }
  return best;
}

template <class T>
int64_t count_hits(const Batch<T>& batch, T threshold) {
  int64_t hits = 0;
  // With an infinite threshold a single column is the only class, of targets as of predictions.
  const T least = threshold > (T)1e30 ? threshold : (T)0.5;
  for (int64_t i = 0; i < batch.rows; ++i) {
    const int64_t label = batch.classes ? batch.label(i) : class_of<T>(batch.target(i), batch.cols, least);
    hits += class_of<T>(batch.f + i * batch.ld, batch.cols, threshold) == label;
  }
  return hits;
}

}  // namespace MINIDL_ISA
}  // namespace minidl
