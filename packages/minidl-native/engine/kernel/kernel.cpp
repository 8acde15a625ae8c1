// A network's prediction and its training, for the instruction set that this file is compiled for (MINIDL_ISA).
#include "catalogue.hpp"
#include "penalty.hpp"
#include "score.hpp"
#include "walk.hpp"

namespace minidl {
namespace MINIDL_ISA {

// The sample at a place of the pass. An index was checked, and is checked again here: somebody may have changed it
// since.
int64_t sample_at(const Pass& pass, int64_t replicate, int64_t place) {
  if (!pass.order) return place;
  const int64_t at = replicate * pass.order_stride + place;
  const int64_t index = pass.order_is_32 ? ((const volatile int32_t*)pass.order)[at]
                                         : ((const volatile int64_t*)pass.order)[at];
  return index >= 0 && index < pass.samples ? index : 0;
}

// Fetch the beginning of a row into the cache. No processor foresees rows in a random order.
template <class T>
void prefetch(const T* row, int64_t width) {
  constexpr int64_t line = 64 / sizeof(T), lines = 8;
  for (int64_t i = 0; i < lines && i * line < width; ++i) __builtin_prefetch(row + i * line);
}

// Copy some of the next samples into the first block.
template <class T>
void gather(const Pass& pass, int64_t replicate, int64_t start, Span rows, int64_t width, const Plan<T>& plan) {
  const int64_t ld = stride<T>(width);
  const T* x = (const T*)pass.x + replicate * pass.x_stride;
  constexpr int64_t ahead = 4;
  for (int64_t i = rows.begin; i < rows.end; ++i) {
    plan.index[i] = sample_at(pass, replicate, start + i);
    if (i + ahead < rows.end) prefetch(x + sample_at(pass, replicate, start + i + ahead) * width, width);
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

// A batch of a replicate, whose predictions lie in the last block.
template <class T>
Batch<T> batch_of(const Chain& chain, const Pass& pass, int64_t r, int64_t rows, const Plan<T>& plan) {
  const int64_t out = chain.layers[chain.count - 1].out;
  const void* y = (const char*)pass.y + r * pass.y_stride * (pass.classes ? sizeof(int64_t) : sizeof(T));
  const double* weights = pass.weights ? pass.weights + r * pass.weight_stride : nullptr;
  return {rows, out, stride<T>(out), pass.target_cols, plan.y, y, weights, pass.classes, plan.index};
}

template <class T>
void train(const Chain& chain, const Pass& pass, int64_t r, void* workspace, Stop stop) {
  Arena arena = {(char*)workspace};
  const int64_t most = pass.batch < pass.visited ? pass.batch : pass.visited;
  const T* values = (const T*)pass.values + r * chain.size;
  const Plan<T> plan = lay_out<T>(chain, r, values, pass.statistics, most, true, arena);
  const Column loss_settings = {pass.loss_settings + r, chain.replicates};
  // A step that is stopped in its middle is as if it had not begun, unless something was drawn for it.
  const Stop* in_step = draws(chain, r) ? nullptr : &stop;
  const double l2 = pass.l2 ? pass.l2[r] : 0;
  double total = pass.losses[r];  // here, because other threads write next to losses[r]
  double hits = pass.hits[r];
  int64_t steps = 0, diverged = 0;
  for (int64_t start = 0; start < pass.visited; start += pass.batch) {
    const int64_t rows = pass.visited - start < pass.batch ? pass.visited - start : pass.batch;
    together(pass.team, [&](Member member) {
      gather<T>(pass, r, start, member.part_of(rows), chain.layers[0].in, plan);
      pack_weights<T>(plan, true, member);
    });
    if (!forward<T>(plan, rows, true, in_step, pass.team)) break;
    const Batch<T> batch = batch_of<T>(chain, pass, r, rows, plan);
    const Score<T> scored = score<T>(pass, loss_settings, batch, plan.g);
    const double penalty = l2 != 0 ? penalty_of<T>(chain, values, l2) / scored.divisor : 0, loss = scored.loss + penalty;
    const bool is_nan = loss != loss;
    if (!is_nan && !backward<T>(plan, rows, in_step, pass.team)) break;
    total += pass.mean ? loss * scored.mass : loss;
    hits += scored.hits;
    if (is_nan) {
      diverged = steps + 1;
      break;
    }
    if (l2 != 0) pull<T>(chain, values, (T)(l2 / scored.divisor), plan.gradient);
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

// A plan without what only training needs, but with the indices and the gradient of the loss.
template <class T>
Plan<T> lay_out_to_evaluate(const Chain& chain, const Pass& pass, int64_t r, int64_t rows, Arena& arena) {
  const int64_t most = rows < PREDICT_ROWS ? rows : PREDICT_ROWS;
  const T* values = (const T*)pass.values + r * chain.size;
  Plan<T> plan = lay_out<T>(chain, r, values, pass.statistics, most, false, arena);
  plan.g = arena.take<T>(most, stride<T>(chain.layers[chain.count - 1].out));
  plan.index = arena.take<int64_t>(most);
  return plan;
}

template <class T>
size_t evaluate_bytes(const Chain& chain, int64_t rows) {
  Arena arena;
  lay_out_to_evaluate<T>(chain, {}, 0, rows, arena);
  return bytes_of<T>(arena);
}

template <class T>
void evaluate(const Chain& chain, const Pass& pass, int64_t r, int64_t begin, int64_t rows, void* workspace,
              double* loss, double* hits) {
  Arena arena = {(char*)workspace};
  const Plan<T> plan = lay_out_to_evaluate<T>(chain, pass, r, rows, arena);
  const Column settings = {pass.loss_settings + r, chain.replicates};
  pack_weights<T>(plan, false, ALONE);
  for (int64_t start = 0; start < rows; start += PREDICT_ROWS) {
    const int64_t some = rows - start < PREDICT_ROWS ? rows - start : PREDICT_ROWS;
    gather<T>(pass, r, begin + start, {0, some}, chain.layers[0].in, plan);
    forward<T>(plan, some, false, nullptr, nullptr);
    const Batch<T> batch = batch_of<T>(chain, pass, r, some, plan);
    const Score<T> own = score<T>(pass, settings, batch, plan.g);
    *loss += pass.mean ? own.loss * own.mass : own.loss;
    *hits += own.hits;
  }
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
  pack_weights<T>(plan, false, ALONE);
  for (int64_t start = 0; start < rows; start += PREDICT_ROWS) {
    const int64_t some = rows - start < PREDICT_ROWS ? rows - start : PREDICT_ROWS;
    for (int64_t i = 0; i < some; ++i) copy(x + (start + i) * in, plan.x + i * stride<T>(in), in);
    forward<T>(plan, some, false, nullptr, nullptr);
    for (int64_t i = 0; i < some; ++i) copy(plan.y + i * stride<T>(out), y + (start + i) * out, out);
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

template <class T>
constexpr Kernel kernel_of() {
  return {train_bytes<T>,    train<T>,         step<T>,    evaluate_bytes<T>,
          evaluate<T>,       predict_bytes<T>, predict<T>, function<T>};
}

extern const Kernel kernels[2];
const Kernel kernels[2] = {
    kernel_of<float>(),
    kernel_of<double>(),
};

extern const Catalogue catalogue;
const Catalogue catalogue = {layer_table(Layers()), loss_table(Losses()), optimizer_table(Optimizers())};

}  // namespace MINIDL_ISA
}  // namespace minidl
