// A layer with its memory, and what every kind of layer has.
#pragma once

#include "kinds.hpp"
#include "packing.hpp"
#include "team.hpp"

namespace minidl {
namespace MINIDL_ISA {

template <class T>
inline void copy(const T* from, T* to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = from[i];
}

// The statistics of a layer for one replicate: arrays of one number per feature, and the count of batches.
template <class T>
struct Running {
  T* at[MOST_STATISTICS];
  int64_t* batches;
};

// A layer with its memory. Blocks are (sample, feature), each row padded to whole vectors; the pads may hold anything.
template <class T>
struct Stage {
  const Layer* layer;
  Column settings;
  BitGenerator* generator;
  const T *weight, *bias_values;  // in the vector
  int64_t in_ld, out_ld;          // padded widths
  T *x, *y;                       // input and output, which may be one block
  T *forward, *backward, *bias;   // the weights, packed both ways, and the padded biases
  T* kept;                        // a block, for a kind that `keeps`
  T* numbers;                     // padded rows, as many as a kind's `rows_of_numbers`
  Running<T> running;
  bool by_rows, in_place;         // of the kind
  bool weighs;                    // whether it is by rows and has weights that are trained
  T* branch;                      // the input of the layer where a branch begins, for a kind that `adds_branch`
};

// A stage from one of its rows on.
template <class T>
inline Stage<T> from_row(Stage<T> stage, int64_t begin) {
  stage.x += begin * stage.in_ld;
  stage.y += begin * stage.out_ld;
  if (stage.kept) stage.kept += begin * stage.out_ld;
  if (stage.branch) stage.branch += begin * stage.in_ld;
  return stage;
}

// One sample on its way through a layer, in evaluation mode.
template <class T>
struct Sample {
  const Layer* layer;
  Column settings;
  const T* values;                // the parameters, the whole vector
  Running<T> running;
  const T *branch, *x;
  T* y;
};

// Defaults of a layer. A struct derived from this one has
//
//   name, settings, words         as an activation
//   needs_input, needs_output     whether `backward` reads x and y
//   in_place                      whether `forward` may write y over x, and `backward` dx over g
//   keeps                         whether it keeps a block as large as y from `forward` to `backward`
//   rows_of_numbers               how many numbers per feature it keeps from `forward` to `backward`
//   has_weights, per_feature, draws, adds_branch, statistics, least_batch
//                                 as LayerFacts say
//   by_rows                       whether y of a row depends on that row of x alone, and dx on that of g
//   prepare(stage, rows, train)   comes before `forward`, for what has to be in the order of the rows
//   forward(stage, rows, train)   computes y
//   backward(stage, rows, g, dx, gradient)
//                                 computes dx = dL/dx from g = dL/dy, unless dx is null, and the parameters' part of
//                                 the gradient, unless that is null
//   weigh(stage, rows, g, gradient, member)
//                                 computes a member's part of the parameters' gradient, for a kind by rows whose
//                                 `backward` then leaves that out
//   join(stage, rows, dx)         adds the gradient of its branch to that of the layer where the branch begins
//   track(stage, rows)            changes the statistics, if it has any, once the step of a batch is made
//   row(sample)                   computes y of one sample in evaluation mode
struct AnyLayer {
  static constexpr Names settings = {}, words = {};
  static constexpr bool needs_input = true, needs_output = true;
  static constexpr bool in_place = false, keeps = false, by_rows = false;
  static constexpr int64_t rows_of_numbers = 0, least_batch = 1;
  static constexpr Names statistics = {};
  static constexpr bool has_weights = false, per_feature = false, draws = false, adds_branch = false;
  static constexpr bool is_activation = false, gives_probabilities = false;

  template <class T>
  static void prepare(const Stage<T>&, int64_t, bool) {}
};

}  // namespace MINIDL_ISA
}  // namespace minidl
