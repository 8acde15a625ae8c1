// What the border (module.cpp) and the kernels, one for each instruction set, tell each other: plain memory only.
//
// The kernels are compiled with instructions that not every processor has. A function that they shared with the rest
// of the extension, be it one of the standard library's templates, would be merged by the linker and might run
// anywhere; so they share none, and this file has no code.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace minidl {

// NumPy's interface to its bit generators, `bitgen_t`.
struct BitGenerator {
  void* state;
  uint64_t (*next_uint64)(void*);
  uint32_t (*next_uint32)(void*);
  double (*next_double)(void*);
  uint64_t (*next_raw)(void*);
};

enum Kind : int64_t { LINEAR, RELU, LEAKY_RELU, TANH, SIGMOID, DROPOUT, KINDS };

// A layer; `weight` and `bias` are where its parameters begin in the vector, -1 where there is none.
struct Layer {
  int64_t kind, in, out, weight, bias;
};

// A network, checked: widths meet, and all parameters lie inside the vector.
struct Program {
  bool is_double, replicated;
  int64_t replicates, size, count;
  const Layer* layers;
  const double* numbers;                  // (count, replicates): alpha, p_drop or the layer's own learning rate
  BitGenerator* const* generators;        // (count, replicates), null where nothing is drawn
};

enum Loss : int64_t { MSE, BCE, BCE_WITH_LOGITS, CROSS_ENTROPY, LOSSES };
enum Optimizer : int64_t { SGD, ADAM, OPTIMIZERS };

// One pass through the samples, for all replicates. A stride of 0 says that replicates share what it belongs to.
struct Epoch {
  int64_t samples, batch;
  const void* x;
  int64_t x_stride;
  const void* y;                          // int64 classes if `classes`, else of the dtype
  int64_t y_stride;
  bool classes;
  const void* order;
  int64_t order_stride;
  bool order_is_32;
  int64_t loss;
  bool mean, counted;
  double threshold;
  int64_t optimizer;
  bool nesterov;
  const double* settings;                 // (4, replicates): momentum or beta1, beta2, eps, weight decay
  void *values, *first, *second;          // the parameters; velocity or m, null without; v, null without
  const double* rates;                    // null: the layers' own
  int64_t rate_step, rate_replicate;      // strides
  int64_t t;
  double* losses;
  int64_t *hits;
  int64_t* diverged;                      // the batch, from 1, whose loss was nan; -1 - n if stopped after n steps
};

// Asked after every step; true ends the epoch.
struct Stop {
  bool (*ask)(void*);
  void* context;
};

// What one instruction set offers, for one dtype. A workspace is zeroed memory, aligned to 64 bytes.
struct Kernel {
  size_t (*train_bytes)(const Program&, int64_t rows);
  void (*train)(const Program&, const Epoch&, int64_t replicate, void* workspace, Stop);
  void (*step)(const Program&, const Epoch&, int64_t replicate, const void* gradients);
  size_t (*predict_bytes)(const Program&, int64_t rows);
  void (*predict)(const Program&, int64_t replicate, const void* values, const void* x, void* y, int64_t rows,
                  void* workspace);
  void (*function)(int64_t kind, const void* x, void* y, int64_t n);  // exp for LINEAR, else the activation
};

constexpr int64_t PREDICT_ROWS = 128;     // rows of a prediction at a time
constexpr size_t TOO_LARGE = SIZE_MAX;    // the number of bytes of what no memory can hold

}  // namespace minidl
