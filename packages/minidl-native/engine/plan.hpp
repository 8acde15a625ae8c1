// Where everything of a network lies in the workspace.
#pragma once

#include "engine.hpp"
#include "product.hpp"

namespace minidl {
namespace MINIDL_ISA {

// Hands out pieces of memory; without any it only counts what would be needed.
struct Arena {
  char* base = nullptr;
  size_t used = 0;
  bool too_large = false;

  template <class U>
  U* take(int64_t rows, int64_t width = 1) {
    size_t bytes = 0;
    if (__builtin_mul_overflow((size_t)rows, (size_t)width, &bytes) || bytes > SIZE_MAX / 64 / sizeof(U)) {
      too_large = true;
      return nullptr;
    }
    char* from = base ? base + used : nullptr;
    too_large |= __builtin_add_overflow(used, (bytes * sizeof(U) + 63) / 64 * 64, &used);
    return (U*)from;
  }
};

// One layer. Blocks are (sample, feature), each row padded to whole vectors; what is in the pads does not matter.
template <class T>
struct Stage {
  const Layer* layer;
  const T *weight, *bias_values;  // in the vector
  double number;                  // alpha or p_drop
  BitGenerator* generator;
  int64_t in_ld, out_ld;
  T *x, *y;                       // input and output; one and the same block where the input is not needed any more
  T *forward, *backward, *bias;   // the weights, packed both ways, and the padded biases
  T* factor;                      // Dropout's
};

template <class T>
struct Plan {
  int64_t count, lowest;          // of the stages; the first with parameters
  Stage<T>* stages;
  T *x, *y;                       // input of the first and output of the last
  T *g, *other_g;                 // the gradient of a block, and room for that of the block below
  T* gradient;                    // of the whole vector
  int64_t* index;                 // of the samples of a batch
};

template <class T>
Stage<T> new_stage(const Program& program, int64_t i, int64_t replicate, const T* values) {
  const Layer& layer = program.layers[i];
  const int64_t own = i * program.replicates + replicate;
  Stage<T> stage = {};
  stage.layer = &layer;
  stage.number = program.numbers[own];
  stage.generator = program.generators[own];
  if (layer.kind == LINEAR && values) {
    stage.weight = values + layer.weight;
    stage.bias_values = layer.bias < 0 ? nullptr : values + layer.bias;
  }
  stage.in_ld = padded<T>(layer.in);
  stage.out_ld = padded<T>(layer.out);
  return stage;
}

inline bool negative_slope(const Program& program, int64_t i) {
  bool found = false;
  for (int64_t r = 0; r < program.replicates; ++r) found |= !(program.numbers[i * program.replicates + r] >= 0);
  return found;
}

// A layer may write over its input unless the layer below needs that for its derivative. LeakyReLU with a negative
// slope may not either: the sign of its output does not tell that of its input.
template <class T>
void lay_out_stage(const Program& program, int64_t i, int64_t rows, bool below_keeps, bool train, Stage<T>& stage,
                   Arena& arena) {
  const Layer& layer = *stage.layer;
  const bool writes_over = layer.kind != LINEAR && !(train && below_keeps) &&
                           !(train && layer.kind == LEAKY_RELU && negative_slope(program, i));
  stage.y = writes_over ? stage.x : arena.take<T>(rows, stage.out_ld);
  if (layer.kind == LINEAR) {
    stage.forward = arena.take<T>(layer.in, stage.out_ld);
    stage.bias = arena.take<T>(stage.out_ld);
    if (train) stage.backward = arena.take<T>(layer.out, stage.in_ld);
  } else if (layer.kind == DROPOUT && train) {
    stage.factor = arena.take<T>(rows, stage.out_ld);
  }
}

template <class T>
Plan<T> lay_out(const Program& program, int64_t replicate, const T* values, int64_t rows, bool train, Arena& arena) {
  Plan<T> plan = {};
  Stage<T> counted = {};  // stands for every stage while there is no memory yet
  plan.count = plan.lowest = program.count;
  plan.stages = arena.take<Stage<T>>(program.count);
  plan.x = plan.y = arena.take<T>(rows, padded<T>(program.layers[0].in));
  int64_t widest = padded<T>(program.layers[0].in);
  bool below_keeps = false;
  for (int64_t i = 0; i < program.count; ++i) {
    Stage<T>& stage = plan.stages ? plan.stages[i] : counted;
    stage = new_stage<T>(program, i, replicate, values);
    stage.x = plan.y;
    lay_out_stage<T>(program, i, rows, below_keeps, train, stage, arena);
    if (stage.layer->kind == LINEAR && plan.lowest == program.count) plan.lowest = i;
    widest = stage.out_ld > widest ? stage.out_ld : widest;
    const int64_t kind = stage.layer->kind;
    below_keeps = kind == RELU || kind == LEAKY_RELU || kind == TANH || kind == SIGMOID;
    plan.y = stage.y;
  }
  if (train) {
    plan.g = arena.take<T>(rows, widest);
    plan.other_g = arena.take<T>(rows, widest);
    plan.gradient = arena.take<T>(program.size);
    plan.index = arena.take<int64_t>(rows);
  }
  return plan;
}

}  // namespace MINIDL_ISA
}  // namespace minidl
