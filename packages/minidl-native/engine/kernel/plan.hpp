// The memory plan: where everything of a network lies in the workspace. It knows layers by their flags alone.
#pragma once

#include "layers.hpp"

namespace minidl {
namespace MINIDL_ISA {

// Hands out pieces of memory. Without memory it only counts the bytes.
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

template <class T>
struct Plan {
  int64_t count, lowest;          // of the stages; the first that trains weights
  Stage<T>* stages;
  T *x, *y;                       // input of the first and output of the last
  T *g, *other_g;                 // the gradient of a block, and memory for that of the block below
  T* gradient;                    // of the whole vector
  int64_t* index;                 // of the samples of a batch
};

// The facts of a layer's kind that the plan depends on.
struct Flags {
  bool needs_input, needs_output, in_place, keeps, by_rows, has_weights, per_feature;
  int64_t rows_of_numbers;
};

inline Flags flags_of(const Layer& layer) {
  return visit(Layers(), layer.kind, [](auto kind) {
    return Flags{kind.needs_input, kind.needs_output, kind.in_place,    kind.keeps,
                 kind.by_rows,     kind.has_weights,  kind.per_feature, kind.rows_of_numbers};
  });
}

// The statistics of a layer for one replicate.
template <class T>
Running<T> running_of(const Chain& chain, int64_t i, int64_t replicate, const Statistics* statistics) {
  Running<T> running = {};
  const Layer& layer = chain.layers[i];
  const int64_t count = visit(Layers(), layer.kind, [](auto kind) { return count_of(kind.statistics); });
  if (!statistics || !count) return running;
  void* const* at = statistics[i].at;
  for (int64_t k = 0; k + 1 < count; ++k) running.at[k] = (T*)at[k] + replicate * layer.out;
  running.batches = (int64_t*)at[count - 1] + replicate;
  return running;
}

template <class T>
Stage<T> new_stage(const Chain& chain, int64_t i, int64_t replicate, const T* values, const Statistics* statistics) {
  const Layer& layer = chain.layers[i];
  Stage<T> stage = {};
  stage.layer = &layer;
  stage.settings = {chain.settings + layer.first_setting * chain.replicates + replicate, chain.replicates};
  stage.generator = chain.generators[i * chain.replicates + replicate];
  if (values && layer.weight >= 0) stage.weight = values + layer.weight;
  if (values && layer.bias >= 0) stage.bias_values = values + layer.bias;
  stage.running = running_of<T>(chain, i, replicate, statistics);
  stage.in_ld = stride<T>(layer.in);
  stage.out_ld = stride<T>(layer.out);
  return stage;
}

// Give a layer its memory. Its output goes over its input only if that is possible and nothing reads the block
// afterwards: neither a branch that begins here, nor the layer's own `backward`, as its input, nor that of the layer
// below, as its output.
template <class T>
void lay_out_stage(Flags flags, int64_t rows, bool below_needs_output, bool train, Stage<T>& stage, Arena& arena) {
  const bool read_later = stage.layer->branches || (train && (flags.needs_input || below_needs_output));
  stage.y = flags.in_place && !read_later ? stage.x : arena.take<T>(rows, stage.out_ld);
  if (flags.has_weights && !flags.per_feature) {
    stage.forward = arena.take<T>(stage.layer->in, stage.out_ld);
    stage.bias = arena.take<T>(stage.out_ld);
    if (train) stage.backward = arena.take<T>(stage.layer->out, stage.in_ld);
  }
  if (flags.rows_of_numbers) stage.numbers = arena.take<T>(flags.rows_of_numbers, stage.out_ld);
  if (flags.keeps && train) stage.kept = arena.take<T>(rows, stage.out_ld);
}

template <class T>
Plan<T> lay_out(const Chain& chain, int64_t replicate, const T* values, const Statistics* statistics, int64_t rows,
                bool train, Arena& arena) {
  Plan<T> plan = {};
  Stage<T> counted = {};  // stands for every stage while there is no memory yet
  plan.count = plan.lowest = chain.count;
  plan.stages = arena.take<Stage<T>>(chain.count);
  plan.x = plan.y = arena.take<T>(rows, stride<T>(chain.layers[0].in));
  int64_t widest = stride<T>(chain.layers[0].in);
  bool below_needs_output = false;
  for (int64_t i = 0; i < chain.count; ++i) {
    const Flags flags = flags_of(chain.layers[i]);
    Stage<T>& stage = plan.stages ? plan.stages[i] : counted;
    stage = new_stage<T>(chain, i, replicate, values, statistics);
    stage.x = plan.y;
    stage.by_rows = flags.by_rows;
    stage.in_place = flags.in_place;
    stage.weighs = flags.by_rows && flags.has_weights && chain.layers[i].trained;
    const int64_t branch = chain.layers[i].branch;
    if (plan.stages && branch >= 0) stage.branch = plan.stages[branch].x;
    lay_out_stage<T>(flags, rows, below_needs_output, train, stage, arena);
    if (chain.layers[i].trained && plan.lowest == chain.count) plan.lowest = i;
    widest = stage.out_ld > widest ? stage.out_ld : widest;
    below_needs_output = flags.needs_output;
    plan.y = stage.y;
  }
  if (train) {
    plan.g = arena.take<T>(rows, widest);
    plan.other_g = arena.take<T>(rows, widest);
    plan.gradient = arena.take<T>(chain.size);
    plan.index = arena.take<int64_t>(rows);
  }
  return plan;
}

}  // namespace MINIDL_ISA
}  // namespace minidl
