// The layers: Linear, Dropout, LayerNorm, BatchNorm1d, Residual, and an activation applied to a whole block.
#pragma once

#include "activations.hpp"
#include "batch_norm.hpp"
#include "layer_norm.hpp"
#include "residual.hpp"
#include "stage.hpp"

namespace minidl {
namespace MINIDL_ISA {

struct Linear : AnyLayer {
  static constexpr const char* name = "Linear";
  static constexpr Names settings = {{"lr"}};
  static constexpr bool needs_output = false, by_rows = true;
  static constexpr bool has_weights = true;

  // y = x Wᵀ + b
  template <class T>
  static void forward(const Stage<T>& s, int64_t rows, bool) {
    product<T>(rows, s.layer->out, s.layer->in, {s.x, s.in_ld, 1}, {s.forward, s.layer->in * PANEL<T>, 0}, s.y,
               s.out_ld, s.bias, true);
  }

  // dx = g W
  template <class T>
  static void backward(const Stage<T>& s, int64_t rows, const T* g, T* dx, T*) {
    if (!dx) return;
    const Layer& layer = *s.layer;
    product<T>(rows, layer.in, layer.out, {g, s.out_ld, 1}, {s.backward, layer.out * PANEL<T>, 0}, dx, s.in_ld,
               nullptr, true);
  }

  // dW = gᵀ x, db = the sum of g's rows. A member takes some columns of W, so that each column of x is copied once, or
  // some rows where there are few columns.
  template <class T>
  static void weigh(const Stage<T>& s, int64_t rows, const T* g, T* gradient, Member member) {
    const Layer& layer = *s.layer;
    const bool by_columns = layer.in >= 4 * member.count * PANEL<T>;
    const Span out = by_columns ? Span{0, layer.out} : member.part_of(layer.out);
    const Span in = by_columns ? member.part_of(layer.in, PANEL<T>) : Span{0, layer.in};
    product<T>(out.length(), in.length(), rows, {g + out.begin, 1, s.out_ld}, {s.x + in.begin, PANEL<T>, s.in_ld},
               gradient + layer.weight + out.begin * layer.in + in.begin, layer.in, nullptr, false);
    if (layer.bias < 0) return;
    const Span bias = member.part_of(layer.out, LANES<T>);
    sum_rows<T>(g + bias.begin, rows, bias.length(), s.out_ld, gradient + layer.bias + bias.begin);
  }

  template <class T>
  static void row(const Sample<T>& r) {
    const T* bias = r.layer->bias < 0 ? nullptr : r.values + r.layer->bias;
    product_of_row<T>(r.x, r.values + r.layer->weight, bias, r.layer->out, r.layer->in, r.y);
  }
};

struct Dropout : AnyLayer {
  static constexpr const char* name = "Dropout";
  static constexpr Names settings = {{"p_drop"}};
  static constexpr bool needs_input = false, needs_output = false;
  static constexpr bool in_place = true, keeps = true, by_rows = true;
  static constexpr bool draws = true;

  // Draw mask / (1 - p_drop) for a block, sample by sample, as `Generator.random(dtype=float32)` draws.
  template <class T>
  static void prepare(const Stage<T>& s, int64_t rows, bool train) {
    const double p_drop = s.settings[0];
    if (!train || p_drop == 0) return;
    const T scale = p_drop < 1 ? (T)(1 / (1 - p_drop)) : 0;
    T* factor = s.kept;
    for (int64_t i = 0; i < rows; ++i, factor += s.out_ld) {
      for (int64_t j = 0; j < s.layer->out; ++j) {
        const float uniform = (float)(s.generator->next_uint32(s.generator->state) >> 8) * 0x1p-24f;
        factor[j] = uniform >= p_drop ? scale : 0;
      }
    }
  }

  template <class T>
  static void scale(const T* factor, const T* x, T* y, int64_t n) {
    for (int64_t i = 0; i < n; i += LANES<T>) store(y + i, load(x + i) * load(factor + i));
  }

  template <class T>
  static void forward(const Stage<T>& s, int64_t rows, bool train) {
    if (train && s.settings[0] != 0) {
      scale<T>(s.kept, s.x, s.y, rows * s.out_ld);
    } else if (s.x != s.y) {
      copy(s.x, s.y, rows * s.out_ld);
    }
  }

  template <class T>
  static void backward(const Stage<T>& s, int64_t rows, const T* g, T* dx, T*) {
    if (s.settings[0] != 0) {
      scale<T>(s.kept, g, dx, rows * s.out_ld);
    } else if (g != dx) {
      copy(g, dx, rows * s.out_ld);
    }
  }

  template <class T>
  static void row(const Sample<T>& r) {
    if (r.x != r.y) copy(r.x, r.y, r.layer->out);
  }
};

// The layer that applies an activation to every element.
template <class A>
struct Elementwise : AnyLayer {
  static constexpr const char* name = A::name;
  static constexpr Names settings = A::settings, words = A::words;
  static constexpr bool needs_input = A::needs_input, needs_output = A::needs_output;
  static constexpr bool in_place = true, by_rows = true;
  static constexpr bool is_activation = true, gives_probabilities = A::gives_probabilities;

  template <class T>
  static void apply(const Numbers<T>& numbers, const T* x, T* y, int64_t n) {
    for (int64_t i = 0; i < n; i += LANES<T>) store(y + i, A::template value<T>(load(x + i), numbers));
  }

  template <class T>
  static void forward(const Stage<T>& s, int64_t rows, bool) {
    apply<T>(numbers_of<T>(A(), s.settings), s.x, s.y, rows * s.out_ld);
  }

  // What the kind does not need may be overwritten by now, and is not read: a kind that needs it and says otherwise
  // gets zeros, which no test can miss.
  template <class T>
  static void backward(const Stage<T>& s, int64_t rows, const T* g, T* dx, T*) {
    const Numbers<T> numbers = numbers_of<T>(A(), s.settings);
    for (int64_t i = 0; i < rows * s.out_ld; i += LANES<T>) {
      const Vector<T> x = needs_input ? load(s.x + i) : Vector<T>{}, y = needs_output ? load(s.y + i) : Vector<T>{};
      store(dx + i, A::template derivative<T>(x, y, load(g + i), numbers));
    }
  }

  template <class T>
  static void row(const Sample<T>& r) {
    apply<T>(numbers_of<T>(A(), r.settings), r.x, r.y, padded<T>(r.layer->out));
  }
};

template <class... A>
List<Linear, Dropout, LayerNorm, BatchNorm1d, Residual, Elementwise<A>...> with_activations(List<A...>);

using Layers = decltype(with_activations(Activations()));

}  // namespace MINIDL_ISA
}  // namespace minidl
