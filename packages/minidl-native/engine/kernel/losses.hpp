// The losses, for one row of a batch. A new one is a struct here and an entry in the list at the end.
#pragma once

#include "kinds.hpp"
#include "transpose.hpp"

namespace minidl {
namespace MINIDL_ISA {

// The C library's functions by their own names: the overloads of <cmath> are functions that would be shared.
inline float log_of(float x) { return __builtin_logf(x); }
inline double log_of(double x) { return __builtin_log(x); }
inline float log1p_of(float x) { return __builtin_log1pf(x); }
inline double log1p_of(double x) { return __builtin_log1p(x); }
inline float exp_of(float x) { return __builtin_expf(x); }
inline double exp_of(double x) { return __builtin_exp(x); }

template <class T>
inline T at_least(T x, T least) {
  return x < least ? least : x;  // nan stays
}

template <class T>
inline T at_most(T x, T most) {
  return x > most ? most : x;  // nan stays
}

inline float magnitude(float x) { return __builtin_fabsf(x); }
inline double magnitude(double x) { return __builtin_fabs(x); }

// A sample: its prediction `f` in `cols` columns, padded to `ld`, and its target, `y` or the class `label`.
template <class T>
struct Row {
  const T *f, *y;
  int64_t label, cols, ld;
};

// LANES rows, one in each lane: their targets, of a single column, or classes, and the factors of their gradients.
template <class T>
struct Turned {
  int64_t cols;
  Vector<T> target, scale;
};

// Defaults of a loss. A struct derived from this one has
//
//   name                     the class in Python
//   settings                 names of its settings, in the order in which the formula reads them
//   takes_classes            whether targets may be class indices (`row.label`)
//   mean_over_rows           whether a mean is over samples only, and not over features too
//   needs_probabilities      whether predictions must lie between 0 and 1
//   outputs                  number of outputs for each target; 0: as many as there are settings that are not nan
//   sum(row, settings, scale, g)
//                            the sum of the row's losses; writes its gradient, times `scale`, to g
//   turns(cols, classes, settings)
//                            whether `turned` computes the same for LANES rows at once
//   turned(rows, settings, columns)
//                            the sums of their losses; replaces the columns of the predictions by their gradients, times
//                            the scales
struct Loss {
  static constexpr Names settings = {};
  static constexpr bool takes_classes = false, mean_over_rows = false, needs_probabilities = false;
  static constexpr int64_t outputs = 1;

  template <class T>
  static bool turns(int64_t, bool, const Numbers<T>&) {
    return false;
  }
  template <class T>
  static Vector<T> turned(const Turned<T>&, const Numbers<T>&, Columns<T>&) {
    __builtin_trap();
  }
};

struct MSELoss : Loss {
  static constexpr const char* name = "MSELoss";

  template <class T>
  static double sum(const Row<T>& row, const Numbers<T>&, T scale, T* g) {
    double total = 0;
    for (int64_t j = 0; j < row.cols; ++j) {
      const T difference = row.f[j] - row.y[j];
      total += difference * difference;
      g[j] = difference * (2 * scale);
    }
    return total;
  }
};

struct L1Loss : Loss {
  static constexpr const char* name = "L1Loss";

  template <class T>
  static double sum(const Row<T>& row, const Numbers<T>&, T scale, T* g) {
    double total = 0;
    for (int64_t j = 0; j < row.cols; ++j) {
      const T difference = row.f[j] - row.y[j];
      total += magnitude(difference);
      g[j] = (T)((difference > 0) - (difference < 0)) * scale;  // no branch that random signs would mispredict
    }
    return total;
  }
};

struct HuberLoss : Loss {
  static constexpr const char* name = "HuberLoss";
  static constexpr Names settings = {{"delta"}};

  template <class T>
  static double sum(const Row<T>& row, const Numbers<T>& settings, T scale, T* g) {
    double total = 0;
    const T delta = settings[0];
    for (int64_t j = 0; j < row.cols; ++j) {
      const T difference = row.f[j] - row.y[j];
      // A minimum and a maximum, without a branch that random signs would mispredict; nan stays.
      const T below = delta < difference ? delta : difference, cut = -delta > below ? -delta : below;
      total += cut * (difference - (T)0.5 * cut);
      g[j] = cut * scale;
    }
    return total;
  }
};

// Column j predicts quantile j modulo their number, of target j divided by it.
struct QuantileLoss : Loss {
  static constexpr const char* name = "QuantileLoss";
  static constexpr Names settings = {{"quantile1", "quantile2", "quantile3", "quantile4", "quantile5", "quantile6",
                                      "quantile7", "quantile8"}};
  static constexpr int64_t outputs = 0;

  template <class T>
  static double sum(const Row<T>& row, const Numbers<T>& quantiles, T scale, T* g) {
    double total = 0;
    int64_t count = 0;
    while (count < MOST_NAMES && quantiles[count] == quantiles[count]) ++count;
    for (int64_t j = 0, target = 0; j < row.cols; ++target) {
      for (int64_t q = 0; q < count; ++q, ++j) {
        const T missing = row.y[target] - row.f[j];
        const T slope = missing > 0 ? -quantiles[q] : missing < 0 ? 1 - quantiles[q] : 0;
        total += missing == missing ? -slope * missing : missing;
        g[j] = slope * scale;
      }
    }
    return total;
  }
};

struct PoissonNLLLoss : Loss {
  static constexpr const char* name = "PoissonNLLLoss";
  static constexpr Names settings = {{"log_input", "eps"}};

  template <class T>
  static double sum(const Row<T>& row, const Numbers<T>& settings, T scale, T* g) {
    double total = 0;
    for (int64_t j = 0; j < row.cols; ++j) {
      const T f = row.f[j], y = row.y[j];
      if (settings[0] != 0) {
        const T rate = exp_of(f);
        total += rate - y * f;
        g[j] = (rate - y) * scale;
      } else {
        total += f - y * log_of(f + settings[1]);
        g[j] = (1 - y / (f + settings[1])) * scale;
      }
    }
    return total;
  }
};

// The first half of the columns are means, the second the logarithms of variances.
struct GaussianNLLLoss : Loss {
  static constexpr const char* name = "GaussianNLLLoss";
  static constexpr int64_t outputs = 2;

  template <class T>
  static double sum(const Row<T>& row, const Numbers<T>&, T scale, T* g) {
    double total = 0;
    const int64_t half = row.cols / 2;
    const T least = log_of((T)1e-6);
    for (int64_t j = 0; j < half; ++j) {
      const T difference = row.f[j] - row.y[j], s = row.f[half + j], bounded = at_least<T>(s, least);
      const T variance = exp_of(bounded), square = difference * difference / variance;
      total += (T)0.5 * (bounded + square);
      g[j] = difference / variance * scale;
      g[half + j] = (T)0.5 * (1 - square) * (s < least ? exp_of(s - bounded) : 1) * scale;
    }
    return total;
  }
};

struct BCELoss : Loss {
  static constexpr const char* name = "BCELoss";
  static constexpr bool needs_probabilities = true;

  template <class T>
  static double sum(const Row<T>& row, const Numbers<T>&, T scale, T* g) {
    double total = 0;
    const T least = (T)(double)1e-12f;
    for (int64_t j = 0; j < row.cols; ++j) {
      const T f = row.f[j], y = row.y[j];
      const T log_f = at_least<T>(log_of(f), -100), log_1f = at_least<T>(log1p_of(-f), -100);
      total += -(y * log_f + (1 - y) * log_1f);
      g[j] = (f - y) / at_least<T>(f * (1 - f), least) * scale;
    }
    return total;
  }
};

struct BCEWithLogitsLoss : Loss {
  static constexpr const char* name = "BCEWithLogitsLoss";
  static constexpr Names settings = {{"pos_weight", "ceiling"}};

  template <class T>
  static double sum(const Row<T>& row, const Numbers<T>& settings, T scale, T* g) {
    double total = 0;
    const T more = settings[0] - 1;  // a target of 1 counts so much more
    for (int64_t k = 0; k < row.ld; k += LANES<T>) {  // exp(-|x|), from which both come
      const Vector<T> v = load(row.f + k);
      store(g + k, exp<T>(v > 0 ? -v : v));
    }
    for (int64_t j = 0; j < row.cols; ++j) {
      const T x = row.f[j], y = row.y[j], log1p_e = log1p_of(g[j]);
      const T sigmoid = (x < 0 ? g[j] : 1) / (1 + g[j]);
      T term = at_least<T>(x, 0) - x * y + log1p_e, slope = sigmoid - y;
      if (more != 0) {
        term += more * y * (log1p_e + at_least<T>(-x, 0));
        slope += more * y * (sigmoid - 1);
      }
      total += at_most<T>(term, settings[1]);
      g[j] = slope * scale;
    }
    return total;
  }

  template <class T>
  static bool turns(int64_t cols, bool, const Numbers<T>& settings) {
    return cols == 1 && settings[0] == 1;
  }

  template <class T>
  static Vector<T> turned(const Turned<T>& rows, const Numbers<T>& settings, Columns<T>& columns) {
    const Vector<T> x = columns[0], y = rows.target, e = exp<T>(x > 0 ? -x : x), zero = {};
    const Vector<T> term = (x < 0 ? zero : x) - x * y + log1p_of_part<T>(e);
    columns[0] = ((x < 0 ? e : all<T>(1)) / (1 + e) - y) * rows.scale;
    return term > settings[1] ? all<T>(settings[1]) : term;
  }
};

struct CrossEntropyLoss : Loss {
  static constexpr const char* name = "CrossEntropyLoss";
  static constexpr Names settings = {{"label_smoothing", "ceiling"}};
  static constexpr bool takes_classes = true, mean_over_rows = true;

  // softmax(x) = exp(x - max x) / sum of these. With smoothing e, the target is (1 - e) p + e / C.
  template <class T>
  static double sum(const Row<T>& row, const Numbers<T>& settings, T scale, T* g) {
    const T* x = row.f;
    // Some columns. A pad becomes -inf, which is no maximum and whose exponential is 0.
    const auto at = [&](int64_t k) { return places<T>(k) < (T)row.cols ? load(x + k) : all<T>(-(T)__builtin_inf()); };
    Vector<T> high = at(0), sums = {};
    for (int64_t k = LANES<T>; k < row.ld; k += LANES<T>) high = larger<T>(at(k), high);
    const T most = largest<T>(high);
    for (int64_t k = 0; k < row.ld; k += LANES<T>) {
      const Vector<T> part = exp<T>(at(k) - most);
      store(g + k, part);
      sums += part;
    }
    const T total = minidl::MINIDL_ISA::sum<T>(sums), log_total = log_of(total), e = settings[0];
    if (!row.y && e == 0) {
      for (int64_t k = 0; k < row.ld; k += LANES<T>) {
        const Vector<T> taken = places<T>(k) == (T)row.label ? all<T>(total) : Vector<T>{};
        store(g + k, (load(g + k) - taken) * (scale / total));
      }
      return at_most<T>(log_total - (x[row.label] - most), settings[1]);
    }
    const auto target = [&](int64_t j) {
      return (1 - e) * (row.y ? row.y[j] : j == row.label) + e / (T)row.cols;
    };
    T loss = 0, mass = 0;
    for (int64_t j = 0; j < row.cols; ++j) {
      loss += target(j) * (log_total - (x[j] - most));
      mass += target(j);
    }
    for (int64_t j = 0; j < row.cols; ++j) g[j] = (g[j] / total * mass - target(j)) * scale;
    return at_most<T>(loss, settings[1]);
  }

  template <class T>
  static bool turns(int64_t cols, bool classes, const Numbers<T>& settings) {
    return classes && settings[0] == 0 && cols > 1 && cols <= FEW_COLUMNS;
  }

  template <class T>
  static Vector<T> turned(const Turned<T>& rows, const Numbers<T>& settings, Columns<T>& x) {
    const Vector<T> labels = rows.target, zero = {};
    Vector<T> most = x[0], own = x[0], total = zero;
    for (int64_t j = 1; j < rows.cols; ++j) {
      most = larger<T>(x[j], most);
      own = labels == (T)j ? x[j] : own;
    }
    for (int64_t j = 0; j < rows.cols; ++j) total += x[j] = exp<T>(x[j] - most);
    const Vector<T> factor = rows.scale / total, term = log_from_one<T>(total) - (own - most);
    for (int64_t j = 0; j < rows.cols; ++j) x[j] = (x[j] - (labels == (T)j ? total : zero)) * factor;
    return term > settings[1] ? all<T>(settings[1]) : term;
  }
};

using Losses = List<MSELoss, L1Loss, HuberLoss, QuantileLoss, PoissonNLLLoss, GaussianNLLLoss, BCELoss,
                    BCEWithLogitsLoss, CrossEntropyLoss>;

}  // namespace MINIDL_ISA
}  // namespace minidl
