// A network's prediction and its training, for the instruction set that this file is compiled for (MINIDL_ISA).
#include "layers.hpp"
#include "losses.hpp"
#include "optimizers.hpp"
#include "plan.hpp"

namespace minidl {
namespace MINIDL_ISA {

template <class T>
void copy(const T* from, T* to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = from[i];
}

template <class T>
void pack_weights(const Plan<T>& plan, bool train) {
  for (int64_t i = 0; i < plan.count; ++i) {
    const Stage<T>& stage = plan.stages[i];
    const Layer& layer = *stage.layer;
    if (layer.kind != LINEAR) continue;
    pack_transposed<T>(stage.weight, layer.out, layer.in, stage.forward);
    if (stage.bias_values) copy(stage.bias_values, stage.bias, layer.out);
    if (train && i > plan.lowest) pack<T>(stage.weight, layer.out, layer.in, stage.backward);
  }
}

// Whether to end here, where a layer takes so long that somebody may wait for it.
bool asked_to_stop(const Stop* stop, const Layer& layer, int64_t rows) {
  return stop && (double)rows * layer.in * layer.out > 1e6 && stop->ask(stop->context);
}

// Returns false if it was asked to stop on the way.
template <class T>
bool forward(const Plan<T>& plan, int64_t rows, bool train, const Stop* stop) {
  for (int64_t i = 0; i < plan.count; ++i) {
    const Stage<T>& stage = plan.stages[i];
    const Layer& layer = *stage.layer;
    const int64_t elements = rows * stage.out_ld;
    if (layer.kind == LINEAR) {
      product<T>(rows, layer.out, layer.in, {stage.x, stage.in_ld, 1}, {stage.forward, layer.in * PANEL<T>, 0},
                 stage.y, stage.out_ld, stage.bias, true);
    } else if (layer.kind == DROPOUT && train && stage.number != 0) {
      draw<T>(stage.generator, stage.number, rows, layer.out, stage.out_ld, stage.factor);
      scale<T>(stage.factor, stage.x, stage.y, elements);
    } else {
      activate<T>(layer.kind, (T)stage.number, stage.x, stage.y, elements);
    }
    if (asked_to_stop(stop, layer, rows)) return false;
  }
  return true;
}

// Turn g, the gradient of the last block, into those of all parameters; nobody needs one below the lowest of them.
// Returns false if it was asked to stop on the way.
template <class T>
bool backward(const Plan<T>& plan, int64_t rows, const Stop* stop) {
  T *g = plan.g, *below = plan.other_g;
  for (int64_t i = plan.count - 1; i >= plan.lowest; --i) {
    const Stage<T>& stage = plan.stages[i];
    const Layer& layer = *stage.layer;
    if (layer.kind == LINEAR) {
      product<T>(layer.out, layer.in, rows, {g, 1, stage.out_ld}, {stage.x, PANEL<T>, stage.in_ld},
                 plan.gradient + layer.weight, layer.in, nullptr, false);
      if (layer.bias >= 0) sum_rows<T>(g, rows, layer.out, stage.out_ld, plan.gradient + layer.bias);
      if (i == plan.lowest) break;
      product<T>(rows, layer.in, layer.out, {g, stage.out_ld, 1}, {stage.backward, layer.out * PANEL<T>, 0}, below,
                 stage.in_ld, nullptr, true);
      T* above = g;
      g = below;
      below = above;
    } else if (layer.kind == DROPOUT) {
      if (stage.number != 0) scale<T>(stage.factor, g, g, rows * stage.out_ld);
    } else {
      const bool needs_x = layer.kind == RELU || layer.kind == LEAKY_RELU;
      derive<T>(layer.kind, (T)stage.number, needs_x ? stage.x : stage.y, g, rows * stage.out_ld);
    }
    if (asked_to_stop(stop, layer, rows)) return false;
  }
  return true;
}

// Copy the next samples into the first block. An index was checked, and is checked again where it is used: somebody
// may have changed it since.
template <class T>
void gather(const Epoch& epoch, int64_t replicate, int64_t start, int64_t rows, int64_t width, const Plan<T>& plan) {
  const int64_t first = replicate * epoch.order_stride + start, ld = padded<T>(width);
  const T* x = (const T*)epoch.x + replicate * epoch.x_stride;
  for (int64_t i = 0; i < rows; ++i) {
    const int64_t index = epoch.order_is_32 ? ((const volatile int32_t*)epoch.order)[first + i]
                                            : ((const volatile int64_t*)epoch.order)[first + i];
    plan.index[i] = index >= 0 && index < epoch.samples ? index : 0;
    copy(x + plan.index[i] * width, plan.x + i * ld, width);
  }
}

template <class T>
void update(const Program& program, const Epoch& epoch, int64_t r, int64_t step, const Plan<T>& plan) {
  const auto piece = [&](int64_t start, int64_t n) {
    const int64_t at = r * program.size + start;
    return Piece<T>{n, (T*)epoch.values + at, plan.gradient + start, epoch.first ? (T*)epoch.first + at : nullptr,
                    epoch.second ? (T*)epoch.second + at : nullptr};
  };
  const int64_t t = epoch.t + step + 1;
  if (epoch.rates) {
    const T rate = (T)epoch.rates[step * epoch.rate_step + r * epoch.rate_replicate];
    return optimize<T>(epoch, program.replicates, r, t, rate, piece(0, program.size));
  }
  for (int64_t i = 0; i < plan.count; ++i) {
    const Layer& layer = *plan.stages[i].layer;
    if (layer.kind != LINEAR) continue;
    const T rate = (T)plan.stages[i].number;
    optimize<T>(epoch, program.replicates, r, t, rate, piece(layer.weight, layer.in * layer.out));
    if (layer.bias >= 0) optimize<T>(epoch, program.replicates, r, t, rate, piece(layer.bias, layer.out));
  }
}

template <class T>
void train(const Program& program, const Epoch& epoch, int64_t r, void* workspace, Stop stop) {
  Arena arena = {(char*)workspace};
  const int64_t most = epoch.batch < epoch.samples ? epoch.batch : epoch.samples;
  const T* values = (const T*)epoch.values + r * program.size;
  const Plan<T> plan = lay_out<T>(program, r, values, most, true, arena);
  const Layer &first = program.layers[0], &last = program.layers[program.count - 1];
  const size_t y_size = epoch.classes ? sizeof(int64_t) : sizeof(T);
  const void* y = (const char*)epoch.y + r * epoch.y_stride * y_size;
  double total = 0;  // here, because other threads write next to losses[r]
  int64_t hits = 0, diverged = 0;
  for (int64_t start = 0, step = 0; start < epoch.samples; start += epoch.batch, ++step) {
    const int64_t rows = epoch.samples - start < epoch.batch ? epoch.samples - start : epoch.batch;
    gather<T>(epoch, r, start, rows, first.in, plan);
    pack_weights<T>(plan, true);
    if (!forward<T>(plan, rows, true, &stop)) {
      diverged = -1 - step;
      break;
    }
    const Batch<T> batch = {rows, last.out, padded<T>(last.out), plan.y, y, plan.index};
    const double loss = loss_of<T>(epoch, batch, plan.g);
    total += epoch.mean ? loss * rows : loss;
    if (epoch.counted) hits += count_hits<T>(epoch, batch);
    if (loss != loss) {
      diverged = step + 1;
      break;
    }
    if (!backward<T>(plan, rows, &stop)) {
      diverged = -1 - step;
      break;
    }
    update<T>(program, epoch, r, step, plan);
    if (stop.ask(stop.context)) {
      diverged = -2 - step;
      break;
    }
  }
  epoch.losses[r] = total;
  epoch.hits[r] = hits;
  epoch.diverged[r] = diverged;
}

// One step of a replicate, with gradients that came from elsewhere.
template <class T>
void step(const Program& program, const Epoch& epoch, int64_t r, const void* gradients) {
  const int64_t at = r * program.size;
  const Piece<T> piece = {program.size, (T*)epoch.values + at, (const T*)gradients + at,
                          epoch.first ? (T*)epoch.first + at : nullptr, epoch.second ? (T*)epoch.second + at : nullptr};
  optimize<T>(epoch, program.replicates, r, epoch.t + 1, (T)epoch.rates[r * epoch.rate_replicate], piece);
}

template <class T>
size_t bytes_of(const Arena& arena) {
  return arena.too_large ? TOO_LARGE : arena.used;
}

template <class T>
size_t train_bytes(const Program& program, int64_t rows) {
  Arena arena;
  lay_out<T>(program, 0, nullptr, rows, true, arena);
  return bytes_of<T>(arena);
}

constexpr int64_t FEW = 4;  // so few rows are not worth packing the weights

template <class T>
int64_t widest_of(const Program& program) {
  int64_t widest = program.layers[0].in;
  for (int64_t i = 0; i < program.count; ++i) {
    widest = program.layers[i].out > widest ? program.layers[i].out : widest;
  }
  return padded<T>(widest);
}

template <class T>
size_t predict_bytes(const Program& program, int64_t rows) {
  Arena arena;
  if (rows <= FEW) {
    arena.take<T>(2, widest_of<T>(program));
  } else {
    lay_out<T>(program, 0, nullptr, rows < PREDICT_ROWS ? rows : PREDICT_ROWS, false, arena);
  }
  return bytes_of<T>(arena);
}

template <class T>
void predict_row(const Program& program, int64_t r, const T* values, const T* x, T* y, T* block, T* other) {
  copy(x, block, program.layers[0].in);
  for (int64_t i = 0; i < program.count; ++i) {
    const Layer& layer = program.layers[i];
    if (layer.kind == LINEAR) {
      const T* bias = layer.bias < 0 ? nullptr : values + layer.bias;
      product_of_row<T>(block, values + layer.weight, bias, layer.out, layer.in, other);
      T* output = other;
      other = block;
      block = output;
    } else {
      activate<T>(layer.kind, (T)program.numbers[i * program.replicates + r], block, block, padded<T>(layer.out));
    }
  }
  copy(block, y, program.layers[program.count - 1].out);
}

template <class T>
void predict(const Program& program, int64_t r, const void* v, const void* from, void* to, int64_t rows,
             void* workspace) {
  const T *values = (const T*)v, *x = (const T*)from;
  T* y = (T*)to;
  const int64_t in = program.layers[0].in, out = program.layers[program.count - 1].out;
  if (rows <= FEW) {
    T *block = (T*)workspace, *other = block + widest_of<T>(program);
    for (int64_t i = 0; i < rows; ++i) predict_row<T>(program, r, values, x + i * in, y + i * out, block, other);
    return;
  }
  Arena arena = {(char*)workspace};
  const Plan<T> plan = lay_out<T>(program, r, values, rows < PREDICT_ROWS ? rows : PREDICT_ROWS, false, arena);
  pack_weights<T>(plan, false);
  for (int64_t start = 0; start < rows; start += PREDICT_ROWS) {
    const int64_t some = rows - start < PREDICT_ROWS ? rows - start : PREDICT_ROWS;
    for (int64_t i = 0; i < some; ++i) copy(x + (start + i) * in, plan.x + i * padded<T>(in), in);
    forward<T>(plan, some, false, nullptr);
    for (int64_t i = 0; i < some; ++i) copy(plan.y + i * padded<T>(out), y + (start + i) * out, out);
  }
}

template <class T>
void function(int64_t kind, const void* from, void* to, int64_t n) {
  const T* x = (const T*)from;
  T* y = (T*)to;
  for (int64_t i = 0; i < n; i += LANES<T>) {
    T part[LANES<T>] = {};
    const int64_t some = n - i < LANES<T> ? n - i : LANES<T>;
    copy(x + i, part, some);
    const Vector<T> v = load(part);
    store(part, kind == LINEAR ? exp<T>(v) : activated<T>(kind, (T)0.01, v));
    copy(part, y + i, some);
  }
}

extern const Kernel kernels[2];
const Kernel kernels[2] = {
    {train_bytes<float>, train<float>, step<float>, predict_bytes<float>, predict<float>, function<float>},
    {train_bytes<double>, train<double>, step<double>, predict_bytes<double>, predict<double>, function<double>},
};

}  // namespace MINIDL_ISA
}  // namespace minidl
