// The optimizers, in one pass over a piece of the vectors. A new one is a struct here and an entry in the list at the
// end.
#pragma once

#include "kinds.hpp"
#include "team.hpp"

namespace minidl {
namespace MINIDL_ISA {

inline float root(float x) { return __builtin_sqrtf(x); }
inline double root(double x) { return __builtin_sqrt(x); }

// A piece of the vectors: parameters, gradient, and the optimizer's own (null where missing), with the numbers that differ
// between pieces.
template <class T>
struct Piece {
  int64_t n;
  T* w;
  const T* g;
  T* vectors[MOST_VECTORS];
  T scale;                        // of the gradient, 1 unless it is clipped
  T decay, rate;
};

// A gradient, clipped, plus weight decay. Without decay even an infinite parameter adds nothing.
template <class T>
inline T decayed(T g, T w, T decay) {
  return decay != 0 ? g + decay * w : g;
}

// The settings that every optimizer has, behind its own.
constexpr Names COMMON = {{"weight_decay", "clip", "decay_biases"}};

constexpr Names with_common(Names names) {
  const int64_t own = count_of(names);
  for (int64_t i = 0; COMMON.at[i]; ++i) names.at[own + i] = COMMON.at[i];
  return names;
}

// Defaults of an optimizer. A struct derived from this one has
//
//   name                          the class in Python
//   settings                      names of its own settings
//   vectors                       names of its vectors, which are as long as the parameters'
//   required                      how many of the vectors must be there; the others may be missing
//   one_pass                      whether its one pass is faster than NumPy on long vectors
//   Numbers                       the numbers of a step in the dtype of the network, made of the settings, in the order
//                                 of their names, and of t, which counts steps from 1
//   step(piece, numbers)          changes the parameters and the vectors
struct Optimizer {
  static constexpr Names settings = {}, vectors = {};
  static constexpr int64_t required = MOST_VECTORS;
  static constexpr bool one_pass = false;
};

struct SGD : Optimizer {
  static constexpr const char* name = "SGD";
  static constexpr Names settings = {{"momentum", "nesterov"}};
  static constexpr Names vectors = {{"velocity"}};
  static constexpr int64_t required = 0;  // no velocity without momentum

  template <class T>
  struct Numbers {
    Numbers(Column settings, int64_t) : momentum((T)settings[0]), nesterov(settings[1] != 0) {}
    T momentum;
    bool nesterov;
  };

  template <class T>
  static void step(const Piece<T>& piece, const Numbers<T>& s) {
    T *__restrict w = piece.w, *__restrict velocity = piece.vectors[0];
    const T* __restrict gradient = piece.g;
    const T scale = piece.scale, decay = piece.decay, rate = piece.rate;
    if (!velocity) {
      for (int64_t i = 0; i < piece.n; ++i) w[i] -= rate * decayed<T>(scale * gradient[i], w[i], decay);
      return;
    }
    for (int64_t i = 0; i < piece.n; ++i) {
      const T g = decayed<T>(scale * gradient[i], w[i], decay), v = s.momentum * velocity[i] + g;
      velocity[i] = v;
      w[i] -= rate * (s.nesterov ? g + s.momentum * v : v);
    }
  }
};

struct RMSprop : Optimizer {
  static constexpr const char* name = "RMSprop";
  static constexpr Names settings = {{"alpha", "eps", "momentum"}};
  static constexpr Names vectors = {{"v", "velocity"}};
  static constexpr int64_t required = 1;  // no velocity without momentum
  static constexpr bool one_pass = true;

  template <class T>
  struct Numbers {
    Numbers(Column settings, int64_t)
        : alpha((T)settings[0]), one_minus_alpha((T)(1 - settings[0])), eps((T)settings[1]), momentum((T)settings[2]) {}
    T alpha, one_minus_alpha, eps, momentum;
  };

  template <class T>
  static void step(const Piece<T>& piece, const Numbers<T>& s) {
    T *__restrict w = piece.w, *__restrict second = piece.vectors[0], *__restrict velocity = piece.vectors[1];
    const T* __restrict gradient = piece.g;
    const T scale = piece.scale, decay = piece.decay, rate = piece.rate;
    for (int64_t i = 0; i < piece.n; ++i) {
      const T g = decayed<T>(scale * gradient[i], w[i], decay);
      const T v = s.alpha * second[i] + s.one_minus_alpha * (g * g);
      T value = g / (s.eps + root(v));
      second[i] = v;
      if (velocity) velocity[i] = value = s.momentum * velocity[i] + value;
      w[i] -= rate * value;
    }
  }
};

// Equations 14 to 16 of the report. The numbers of a step are rounded to the dtype once. With eps_hat, eps is added to
// the root before the bias correction. Adam adds weight decay to the gradient, AdamW to the value. The factors
// 1 / (1 - betaᵗ) that correct the bias are computed once for each step: to multiply takes less time than to divide.
template <bool DECAYS_VALUE>
struct Moments : Optimizer {
  static constexpr Names settings = {{"beta1", "beta2", "eps", "eps_hat"}};
  static constexpr Names vectors = {{"m", "v"}};
  static constexpr bool one_pass = true;

  template <class T>
  struct Numbers {
    Numbers(Column settings, int64_t t)
        : beta1((T)settings[0]), new1((T)(1 - settings[0])), unbias1((T)(1 / bias_correction(settings[0], t))),
          beta2((T)settings[1]), new2((T)(1 - settings[1])), unbias2((T)(1 / bias_correction(settings[1], t))),
          eps((T)(settings[3] != 0 ? settings[2] / root(bias_correction(settings[1], t)) : settings[2])) {}
    static double bias_correction(double beta, int64_t t) { return 1 - __builtin_pow(beta, (double)t); }
    T beta1, new1, unbias1, beta2, new2, unbias2, eps;
  };

  template <class T>
  static void step(const Piece<T>& piece, const Numbers<T>& s) {
    T *__restrict w = piece.w, *__restrict first = piece.vectors[0], *__restrict second = piece.vectors[1];
    const T* __restrict gradient = piece.g;
    const T scale = piece.scale, rate = piece.rate;
    const T decay_of_g = DECAYS_VALUE ? 0 : piece.decay, decay_of_value = DECAYS_VALUE ? piece.decay : 0;
    for (int64_t i = 0; i < piece.n; ++i) {
      const T g = decayed<T>(scale * gradient[i], w[i], decay_of_g);
      const T m = s.beta1 * first[i] + s.new1 * g, v = s.beta2 * second[i] + s.new2 * (g * g);
      const T value = m * s.unbias1 / (s.eps + root(v * s.unbias2));
      first[i] = m;
      second[i] = v;
      w[i] -= rate * decayed<T>(value, w[i], decay_of_value);
    }
  }
};

struct Adam : Moments<false> {
  static constexpr const char* name = "Adam";
};

struct AdamW : Moments<true> {
  static constexpr const char* name = "AdamW";
};

using Optimizers = List<SGD, RMSprop, Adam, AdamW>;

// The factor min(1, clip / (norm + 1e-6)) of a gradient; 1 without clip, which is infinite then. A nan stays nan.
template <class T>
double clipping(const Chain& chain, const T* gradient, double clip) {
  if (clip > 1.7e308) return 1;
  double squares = 0;
  if (chain.all_trained) {
    squares = squares_of(gradient, chain.size);
  } else {
    for (int64_t i = 0; i < chain.range_count; ++i) {
      squares += squares_of(gradient + chain.ranges[i].start, chain.ranges[i].count);
    }
  }
  const double factor = clip / (__builtin_sqrt(squares) + 1e-6);
  return factor > 1 ? 1 : factor;
}

// The pieces of a vector that members take are of so many parameters, or a multiple: a multiple of any number that the
// compiler takes together, so that a parameter's formula is compiled alike whoever computes it.
constexpr int64_t PIECE = 64;

// Make the optimizer's next step of a replicate, after `made` others of the pass: in one piece where all parameters are
// treated alike, else parameter by parameter.
template <class T>
void optimize(const Chain& chain, const Pass& pass, int64_t r, int64_t made, const T* gradient) {
  const Column settings = {pass.optimizer_settings + r, chain.replicates};
  visit(Optimizers(), pass.optimizer, [&](auto kind) {
    constexpr int64_t own = count_of(kind.settings);
    const T decay = (T)settings[own], scale = (T)clipping<T>(chain, gradient, settings[own + 1]);
    const bool decay_biases = settings[own + 2] != 0;
    const typename decltype(kind)::template Numbers<T> numbers(settings, pass.t + made + 1);
    const auto descend = [&](Member member, int64_t start, int64_t n, T own_decay, T rate) {
      const Span own = member.part_of(n, PIECE);
      const int64_t at = r * chain.size + start + own.begin;
      Piece<T> piece = {own.length(), (T*)pass.values + at, gradient + start + own.begin, {}, scale, own_decay, rate};
      for (int64_t i = 0; i < MOST_VECTORS; ++i) piece.vectors[i] = pass.vectors[i] ? (T*)pass.vectors[i] + at : nullptr;
      kind.template step<T>(piece, numbers);
    };
    const T rate = pass.rates ? (T)pass.rates[made * pass.rate_step + r * pass.rate_replicate] : 0;
    together(pass.team, [&](Member member) {
      if (pass.rates && chain.all_trained && (decay_biases || decay == 0)) {
        return descend(member, 0, chain.size, decay, rate);
      }
      for (int64_t i = 0; i < chain.range_count; ++i) {
        const Range& range = chain.ranges[i];
        const int64_t row = chain.layers[range.layer].first_setting;
        const T own_rate = pass.rates ? rate : (T)chain.settings[row * chain.replicates + r];
        descend(member, range.start, range.count, decay_biases || range.axes > 1 ? decay : 0, own_rate);
      }
    });
  });
}

}  // namespace MINIDL_ISA
}  // namespace minidl
