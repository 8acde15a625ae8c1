// BatchNorm1d: mean 0 and variance 1 over the samples for each feature, then a weight and a bias.
#pragma once

#include "stage.hpp"

namespace minidl {
namespace MINIDL_ISA {

struct BatchNorm1d : AnyLayer {
  static constexpr const char* name = "BatchNorm1d";
  static constexpr Names settings = {{"lr", "eps", "momentum"}};
  static constexpr Names statistics = {{"running_mean", "running_var", "num_batches_tracked"}};
  static constexpr bool needs_output = false;
  static constexpr bool in_place = true;
  static constexpr bool has_weights = true, per_feature = true;
  static constexpr int64_t rows_of_numbers = 2, least_batch = 2;  // mean and variance; one sample has no variance

  template <class T>
  static Vector<T> inverse_root(Vector<T> variance, Column settings) {
    return 1 / square_root<T>(variance + (T)settings[1]);
  }

  // Mean and variance of a vector of features: those of the batch in training, else the running ones.
  template <class T>
  static void measure(const Stage<T>& s, int64_t rows, bool train, int64_t col, Vector<T>& mean, Vector<T>& variance) {
    const int64_t left = s.layer->out - col;
    if (train) {
      const T* x = s.x + col;
      mean = sum_over<T>(rows, [&](int64_t i) { return load(x + i * s.out_ld); }) / (T)rows;
      variance = sum_over<T>(rows, [&](int64_t i) {
        const Vector<T> centered = load(x + i * s.out_ld) - mean;
        return centered * centered;
      }) / (T)rows;
    } else {
      mean = load_most(s.running.at[0] + col, left);
      variance = load_most(s.running.at[1] + col, left);
    }
  }

  // y = weight n + bias with n = (x - mean) / root
  template <class T>
  static void forward(const Stage<T>& s, int64_t rows, bool train) {
    for (int64_t col = 0; col < s.layer->out; col += LANES<T>) {
      const int64_t left = s.layer->out - col;
      Vector<T> mean, variance;
      measure<T>(s, rows, train, col, mean, variance);
      store(s.numbers + col, mean);
      store(s.numbers + s.out_ld + col, variance);
      const Vector<T> factor = load_most(s.weight + col, left) * inverse_root<T>(variance, s.settings);
      const Vector<T> bias = load_most(s.bias_values + col, left);
      for (int64_t i = col; i < rows * s.out_ld; i += s.out_ld) store(s.y + i, (load(s.x + i) - mean) * factor + bias);
    }
  }

  // dweight = the sum of g n over the samples, dbias = that of g; dn = g weight, and
  // dx = (dn - mean(dn) - n mean(dn n)) / root, the means being those over the samples
  template <class T>
  static void backward(const Stage<T>& s, int64_t rows, const T* g, T* dx, T* gradient) {
    const Layer& layer = *s.layer;
    for (int64_t col = 0; col < layer.out; col += LANES<T>) {
      const int64_t left = layer.out - col;
      const Vector<T> mean = load(s.numbers + col);
      const Vector<T> inverse = inverse_root<T>(load(s.numbers + s.out_ld + col), s.settings);
      const auto n = [&](int64_t i) { return (load(s.x + i) - mean) * inverse; };
      const Vector<T> dbias = sum_over<T>(rows, [&](int64_t i) { return load(g + i * s.out_ld + col); });
      const Vector<T> dweight = sum_over<T>(rows, [&](int64_t i) {
        return load(g + i * s.out_ld + col) * n(i * s.out_ld + col);
      });
      if (gradient) {
        store_most(gradient + layer.weight + col, dweight, left);
        store_most(gradient + layer.bias + col, dbias, left);
      }
      if (!dx) continue;
      const Vector<T> factor = load_most(s.weight + col, left) * inverse;
      const Vector<T> shift = dbias / (T)rows, slope = dweight / (T)rows;
      for (int64_t i = col; i < rows * s.out_ld; i += s.out_ld) {
        store(dx + i, (load(g + i) - shift - n(i) * slope) * factor);
      }
    }
  }

  // Each running statistic r becomes (1 - momentum) r + momentum new. That of the variance estimates the variance of
  // all data, and divides by N - 1.
  template <class T>
  static void track(const Stage<T>& s, int64_t rows) {
    const double momentum = s.settings[2];
    const T share = (T)momentum, rest = (T)(1 - momentum), unbiased = (T)((double)rows / (double)(rows - 1));
    const T *mean = s.numbers, *variance = s.numbers + s.out_ld;
    for (int64_t j = 0; j < s.layer->out; ++j) {
      s.running.at[0][j] = rest * s.running.at[0][j] + share * mean[j];
      s.running.at[1][j] = rest * s.running.at[1][j] + share * (variance[j] * unbiased);
    }
    ++*s.running.batches;
  }

  template <class T>
  static void row(const Sample<T>& r) {
    const int64_t width = r.layer->out;
    for (int64_t col = 0; col < width; col += LANES<T>) {
      const auto at = [&](const T* numbers) { return load_most(numbers + col, width - col); };
      const Vector<T> factor = at(r.values + r.layer->weight) * inverse_root<T>(at(r.running.at[1]), r.settings);
      store(r.y + col, (load(r.x + col) - at(r.running.at[0])) * factor + at(r.values + r.layer->bias));
    }
  }
};

}  // namespace MINIDL_ISA
}  // namespace minidl
