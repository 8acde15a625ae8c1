// A network's prediction and its training, for the instruction set that this file is compiled for (MINIDL_ISA).
#include "catalogue.hpp"
#include "penalty.hpp"
#include "plan.hpp"

namespace minidl {
namespace MINIDL_ISA {

template <class T>
void pack_weights(const Plan<T>& plan, bool train) {
  for (int64_t i = 0; i < plan.count; ++i) {
    const Stage<T>& stage = plan.stages[i];
    const Layer& layer = *stage.layer;
    if (!stage.forward) continue;
    pack_transposed<T>(stage.weight, layer.out, layer.in, stage.forward);
    if (stage.bias_values) copy(stage.bias_values, stage.bias, layer.out);
    if (train && i > plan.lowest) pack<T>(stage.weight, layer.out, layer.in, stage.backward);
  }
}

// Whether to end here. Asked only behind a layer that takes so long that somebody may be waiting.
bool asked_to_stop(const Stop* stop, const Layer& layer, int64_t rows) {
  return stop && (double)rows * layer.in * layer.out > 1e6 && stop->ask(stop->context);
}

// Returns false if it was asked to stop on the way.
template <class T>
bool forward(const Plan<T>& plan, int64_t rows, bool train, const Stop* stop) {
  for (int64_t i = 0; i < plan.count; ++i) {
    const Stage<T>& stage = plan.stages[i];
    visit(Layers(), stage.layer->kind, [&](auto kind) { kind.template forward<T>(stage, rows, train); });
    if (asked_to_stop(stop, *stage.layer, rows)) return false;
  }
  return true;
}

// Add the gradients of all branches that begin at a layer to the gradient of its input.
template <class T>
void join_branches(const Plan<T>& plan, int64_t begin, int64_t rows, T* dx) {
  for (int64_t i = begin; i < plan.count; ++i) {
    const Stage<T>& stage = plan.stages[i];
    if (stage.layer->branch != begin) continue;
    visit(Layers(), stage.layer->kind, [&](auto kind) {
      if constexpr (kind.adds_branch) kind.template join<T>(stage, rows, dx);
    });
  }
}

// Turn g, the gradient of the last block, into those of all parameters that are trained. No gradient is needed below the
// lowest layer that has any. Returns false if it was asked to stop on the way.
template <class T>
bool backward(const Plan<T>& plan, int64_t rows, const Stop* stop) {
  T *g = plan.g, *other = plan.other_g;
  for (int64_t i = plan.count - 1; i >= plan.lowest; --i) {
    const Stage<T>& stage = plan.stages[i];
    visit(Layers(), stage.layer->kind, [&](auto kind) {
      T* below = kind.in_place ? g : other;
      kind.template backward<T>(stage, rows, g, i == plan.lowest ? nullptr : below,
                                stage.layer->trained ? plan.gradient : nullptr);
      other = kind.in_place ? other : g;
      g = below;
    });
    if (stage.layer->branches && i > plan.lowest) join_branches<T>(plan, i, rows, g);
    if (asked_to_stop(stop, *stage.layer, rows)) return false;
  }
  return true;
}

// The sample at a place of the pass. An index was checked, and is checked again here: somebody may have changed it
// since.
int64_t sample_at(const Pass& pass, int64_t replicate, int64_t place) {
  if (!pass.order) return place;
  const int64_t at = replicate * pass.order_stride + place;
  const int64_t index = pass.order_is_32 ? ((const volatile int32_t*)pass.order)[at]
                                         : ((const volatile int64_t*)pass.order)[at];
  return index >= 0 && index < pass.samples ? index : 0;
}

// Copy the next samples into the first block.
template <class T>
void gather(const Pass& pass, int64_t replicate, int64_t start, int64_t rows, int64_t width, const Plan<T>& plan) {
  const int64_t ld = padded<T>(width);
  const T* x = (const T*)pass.x + replicate * pass.x_stride;
  for (int64_t i = 0; i < rows; ++i) {
    plan.index[i] = sample_at(pass, replicate, start + i);
    copy(x + plan.index[i] * width, plan.x + i * ld, width);
  }
}

// Move the running statistics, after the step of a batch.
template <class T>
void track(const Plan<T>& plan, int64_t rows) {
  for (int64_t i = 0; i < plan.count; ++i) {
    visit(Layers(), plan.stages[i].layer->kind, [&](auto kind) {
      if constexpr (count_of(kind.statistics) > 0) kind.track(plan.stages[i], rows);
    });
  }
}

bool draws(const Chain& chain, int64_t r) {
  for (int64_t i = 0; i < chain.count; ++i) {
    if (chain.generators[i * chain.replicates + r]) return true;
  }
  return false;
}

template <class T>
void train(const Chain& chain, const Pass& pass, int64_t r, void* workspace, Stop stop) {
  Arena arena = {(char*)workspace};
  const int64_t most = pass.batch < pass.visited ? pass.batch : pass.visited;
  const T* values = (const T*)pass.values + r * chain.size;
  const Plan<T> plan = lay_out<T>(chain, r, values, pass.statistics, most, true, arena);
  const Layer &first = chain.layers[0], &last = chain.layers[chain.count - 1];
  const Column loss_settings = {pass.loss_settings + r, chain.replicates};
  const void* y = (const char*)pass.y + r * pass.y_stride * (pass.classes ? sizeof(int64_t) : sizeof(T));
  // A step that is stopped in its middle is as if it had not begun, unless something was drawn for it.
  const Stop* in_step = draws(chain, r) ? nullptr : &stop;
  const double l2 = pass.l2 ? pass.l2[r] : 0;
  double total = pass.losses[r];  // here, because other threads write next to losses[r]
  double hits = pass.hits[r];
  int64_t steps = 0, diverged = 0;
  const double* weights = pass.weights ? pass.weights + r * pass.weight_stride : nullptr;
  for (int64_t start = 0; start < pass.visited; start += pass.batch) {
    const int64_t rows = pass.visited - start < pass.batch ? pass.visited - start : pass.batch;
    gather<T>(pass, r, start, rows, first.in, plan);
    pack_weights<T>(plan, true);
    if (!forward<T>(plan, rows, true, in_step)) break;
    const Batch<T> batch = {rows, last.out, padded<T>(last.out), pass.target_cols, plan.y,
                            y,    weights,  pass.classes,        plan.index};
    const double mass = batch.mass();
    double divisor = 1, loss = loss_of<T>(pass, loss_settings, batch, mass, plan.g, divisor);
    if (l2 != 0) loss += penalty_of<T>(chain, values, l2) / divisor;
    const double right = pass.counted ? count_hits<T>(batch, (T)pass.threshold) : 0;
    const bool is_nan = loss != loss;
    if (!is_nan && !backward<T>(plan, rows, in_step)) break;
    total += pass.mean ? loss * mass : loss;
    hits += right;
    if (is_nan) {
      diverged = steps + 1;
      break;
    }
    if (l2 != 0) pull<T>(chain, values, (T)(l2 / divisor), plan.gradient);
    optimize<T>(chain, pass, r, steps, plan.gradient);
    track<T>(plan, rows);
    ++steps;
    if (stop.ask(stop.context)) break;
  }
  pass.losses[r] = total;
  pass.hits[r] = hits;
  pass.steps[r] = steps;
  pass.diverged[r] = diverged;
}

// One step of a replicate, with given gradients.
template <class T>
void step(const Chain& chain, const Pass& pass, int64_t r, const void* gradients) {
  optimize<T>(chain, pass, r, 0, (const T*)gradients + r * chain.size);
}

template <class T>
size_t bytes_of(const Arena& arena) {
  return arena.too_large ? TOO_LARGE : arena.used;
}

template <class T>
size_t train_bytes(const Chain& chain, int64_t rows) {
  Arena arena;
  lay_out<T>(chain, 0, nullptr, nullptr, rows, true, arena);
  return bytes_of<T>(arena);
}

constexpr int64_t FEW = 4;  // so few rows are not worth packing the weights

// The number of layers below `end` at which a branch begins.
int64_t count_branches(const Chain& chain, int64_t end) {
  int64_t count = 0;
  for (int64_t i = 0; i < end; ++i) count += chain.layers[i].branches;
  return count;
}

template <class T>
int64_t widest_of(const Chain& chain) {
  int64_t widest = chain.layers[0].in;
  for (int64_t i = 0; i < chain.count; ++i) {
    widest = chain.layers[i].out > widest ? chain.layers[i].out : widest;
  }
  return padded<T>(widest);
}

template <class T>
size_t predict_bytes(const Chain& chain, int64_t rows) {
  Arena arena;
  if (rows <= FEW) {
    arena.take<T>(2 + count_branches(chain, chain.count), widest_of<T>(chain));
  } else {
    lay_out<T>(chain, 0, nullptr, nullptr, rows < PREDICT_ROWS ? rows : PREDICT_ROWS, false, arena);
  }
  return bytes_of<T>(arena);
}

template <class T>
void predict_row(const Chain& chain, int64_t r, const T* values, const Statistics* statistics, const T* x, T* y,
                 T* memory) {
  const int64_t widest = widest_of<T>(chain);
  T *block = memory, *other = memory + widest, *kept = other + widest;  // kept: a row for each branch, as they begin
  copy(x, block, chain.layers[0].in);
  for (int64_t i = 0; i < chain.count; ++i) {
    const Layer& layer = chain.layers[i];
    const Column settings = {chain.settings + layer.first_setting * chain.replicates + r, chain.replicates};
    if (layer.branches) copy(block, kept + count_branches(chain, i) * widest, layer.in);
    const T* branch = layer.branch < 0 ? nullptr : kept + count_branches(chain, layer.branch) * widest;
    visit(Layers(), layer.kind, [&](auto kind) {
      T* output = kind.in_place ? block : other;
      kind.row(Sample<T>{&layer, settings, values, running_of<T>(chain, i, r, statistics), branch, block, output});
      other = kind.in_place ? other : block;
      block = output;
    });
  }
  copy(block, y, chain.layers[chain.count - 1].out);
}

template <class T>
void predict(const Chain& chain, int64_t r, const void* v, const Statistics* statistics, const void* from, void* to,
             int64_t rows, void* workspace) {
  const T *values = (const T*)v, *x = (const T*)from;
  T* y = (T*)to;
  const int64_t in = chain.layers[0].in, out = chain.layers[chain.count - 1].out;
  if (rows <= FEW) {
    for (int64_t i = 0; i < rows; ++i) {
      predict_row<T>(chain, r, values, statistics, x + i * in, y + i * out, (T*)workspace);
    }
    return;
  }
  Arena arena = {(char*)workspace};
  const int64_t most = rows < PREDICT_ROWS ? rows : PREDICT_ROWS;
  const Plan<T> plan = lay_out<T>(chain, r, values, statistics, most, false, arena);
  pack_weights<T>(plan, false);
  for (int64_t start = 0; start < rows; start += PREDICT_ROWS) {
    const int64_t some = rows - start < PREDICT_ROWS ? rows - start : PREDICT_ROWS;
    for (int64_t i = 0; i < some; ++i) copy(x + (start + i) * in, plan.x + i * padded<T>(in), in);
    forward<T>(plan, some, false, nullptr);
    for (int64_t i = 0; i < some; ++i) copy(plan.y + i * padded<T>(out), y + (start + i) * out, out);
  }
}

// The function of an activation, whose settings are all 0.01 here; exp for any other kind.
template <class T>
Vector<T> function_of(int64_t kind, Vector<T> x) {
  if (kind < 0) return exp<T>(x);
  const double settings[MOST_NAMES] = {0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01};
  T part[LANES<T>];
  store(part, x);
  visit(Layers(), kind, [&](auto layer) {
    if constexpr (layer.is_activation) {
      layer.template apply<T>(numbers_of<T>(layer, {settings, 1}), part, part, LANES<T>);
    }
  });
  return load(part);
}

template <class T>
void function(int64_t kind, const void* from, void* to, int64_t n) {
  const T* x = (const T*)from;
  T* y = (T*)to;
  for (int64_t i = 0; i < n; i += LANES<T>) {
    T part[LANES<T>] = {};
    const int64_t some = n - i < LANES<T> ? n - i : LANES<T>;
    copy(x + i, part, some);
    store(part, function_of<T>(kind, load(part)));
    copy(part, y + i, some);
  }
}

extern const Kernel kernels[2];
const Kernel kernels[2] = {
    {train_bytes<float>, train<float>, step<float>, predict_bytes<float>, predict<float>, function<float>},
    {train_bytes<double>, train<double>, step<double>, predict_bytes<double>, predict<double>, function<double>},
};

extern const Catalogue catalogue;
const Catalogue catalogue = {layer_table(Layers()), loss_table(Losses()), optimizer_table(Optimizers())};

}  // namespace MINIDL_ISA
}  // namespace minidl
