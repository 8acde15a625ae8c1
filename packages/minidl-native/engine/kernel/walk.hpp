// The way of a batch up and down the layers. The threads of a team take the rows of the batch, and meet where a layer
// needs all of them.
#pragma once

#include "plan.hpp"

namespace minidl {
namespace MINIDL_ISA {

// Pack a member's part of the weights, whole panels.
template <class T>
void pack_weights(const Plan<T>& plan, bool train, Member member) {
  for (int64_t i = 0; i < plan.count; ++i) {
    const Stage<T>& stage = plan.stages[i];
    const Layer& layer = *stage.layer;
    if (!stage.forward) continue;
    const Span out = member.part_of(layer.out, PANEL<T>), in = member.part_of(layer.in, PANEL<T>);
    pack_transposed<T>(stage.weight + out.begin * layer.in, out.length(), layer.in, stage.forward + out.begin * layer.in);
    if (stage.bias_values) copy(stage.bias_values + out.begin, stage.bias + out.begin, out.length());
    if (!train || i <= plan.lowest) continue;
    pack<T>(stage.weight + in.begin, layer.out, in.length(), layer.in, stage.backward + in.begin * layer.out);
  }
}

// Whether a layer takes so long that somebody may be waiting behind it.
bool is_long(const Layer& layer, int64_t rows) { return (double)rows * layer.in * layer.out > 1e6; }

bool asked_to_stop(const Stop* stop, const Layer& layer, int64_t rows) {
  return stop && is_long(layer, rows) && stop->ask(stop->context);
}

// Where the layers end, from i on, through which the threads take their rows without waiting for each other.
template <class T>
int64_t forward_end(const Plan<T>& plan, int64_t i, int64_t rows) {
  while (++i < plan.count && plan.stages[i - 1].by_rows && plan.stages[i].by_rows) {
    if (is_long(*plan.stages[i - 1].layer, rows)) break;
  }
  return i;
}

// Returns false if it was asked to stop on the way.
template <class T>
bool forward(const Plan<T>& plan, int64_t rows, bool train, const Stop* stop, const Team* team) {
  for (int64_t begin = 0, end; begin < plan.count; begin = end) {
    end = forward_end<T>(plan, begin, rows);
    for (int64_t i = begin; i < end; ++i) {
      const Stage<T>& stage = plan.stages[i];
      visit(Layers(), stage.layer->kind, [&](auto kind) { kind.template prepare<T>(stage, rows, train); });
    }
    together(plan.stages[begin].by_rows ? team : nullptr, [&](Member member) {
      const Span own = member.part_of(rows);
      for (int64_t i = begin; i < end; ++i) {
        const Stage<T> stage = from_row<T>(plan.stages[i], own.begin);
        visit(Layers(), stage.layer->kind, [&](auto kind) { kind.template forward<T>(stage, own.length(), train); });
      }
    });
    if (asked_to_stop(stop, *plan.stages[end - 1].layer, rows)) return false;
  }
  return true;
}

// Add the gradients of all branches that begin at a layer to the gradient of its input, for some rows.
template <class T>
void join_branches(const Plan<T>& plan, int64_t begin, Span rows, T* dx) {
  for (int64_t i = begin; i < plan.count; ++i) {
    if (plan.stages[i].layer->branch != begin) continue;
    const Stage<T> stage = from_row<T>(plan.stages[i], rows.begin);
    visit(Layers(), stage.layer->kind, [&](auto kind) {
      if constexpr (kind.adds_branch) kind.template join<T>(stage, rows.length(), dx + rows.begin * stage.out_ld);
    });
  }
}

// The gradient of a block, and memory for that of the block below.
template <class T>
struct Flow {
  T *g, *other;
};

// Take some rows of g back through a layer. No gradient is needed below the lowest layer that is trained.
template <class T>
void back(const Plan<T>& plan, int64_t i, Span rows, Flow<T>& flow) {
  const Stage<T> stage = from_row<T>(plan.stages[i], rows.begin);
  visit(Layers(), stage.layer->kind, [&](auto kind) {
    T* below = kind.in_place ? flow.g : flow.other;
    kind.template backward<T>(stage, rows.length(), flow.g + rows.begin * stage.out_ld,
                              i == plan.lowest ? nullptr : below + rows.begin * stage.in_ld,
                              stage.layer->trained ? plan.gradient : nullptr);
    flow = {below, kind.in_place ? flow.other : flow.g};
  });
  if (stage.layer->branches && i > plan.lowest) join_branches<T>(plan, i, rows, flow.g);
}

// The last layer, from i down, through which the threads take their rows without waiting for each other. The gradient of
// weights is summed over all rows, so they meet above each layer that has any. And one block is written, where others
// may still read the one above: the next layer would write there.
template <class T>
int64_t backward_end(const Plan<T>& plan, int64_t i, int64_t rows) {
  bool written = !plan.stages[i].in_place;
  while (i > plan.lowest && plan.stages[i].by_rows && !is_long(*plan.stages[i].layer, rows)) {
    const Stage<T>& below = plan.stages[i - 1];
    if (!below.by_rows || below.weighs || (written && !below.in_place)) break;
    written |= !below.in_place;
    --i;
  }
  return i;
}

// Turn g, the gradient of the last block, into those of all parameters that are trained. Returns false if it was asked
// to stop on the way.
template <class T>
bool backward(const Plan<T>& plan, int64_t rows, const Stop* stop, const Team* team) {
  Flow<T> flow = {plan.g, plan.other_g};
  for (int64_t begin = plan.count - 1, end; begin >= plan.lowest; begin = end - 1) {
    end = backward_end<T>(plan, begin, rows);
    const Stage<T>& first = plan.stages[begin];
    Flow<T> after = {};
    together(first.by_rows ? team : nullptr, [&](Member member) {
      if (first.weighs) {
        visit(Layers(), first.layer->kind, [&](auto kind) {
          if constexpr (kind.by_rows && kind.has_weights) kind.template weigh<T>(first, rows, flow.g, plan.gradient, member);
        });
      }
      Flow<T> own = flow;
      for (int64_t i = begin; i >= end; --i) back<T>(plan, i, member.part_of(rows), own);
      if (member.index == 0) after = own;
    });
    flow = after;
    if (asked_to_stop(stop, *plan.stages[end].layer, rows)) return false;
  }
  return true;
}

}  // namespace MINIDL_ISA
}  // namespace minidl
