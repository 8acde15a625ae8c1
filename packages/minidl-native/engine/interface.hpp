// The interface between the two halves of the engine: border/ (Python's side) and kernel/ (the arithmetic).
//
// kernel/ is compiled once for each instruction set, with instructions that not every processor has. The linker merges
// equal functions of different files, templates of the standard library included, so a shared function could end up
// with instructions that the processor lacks. The halves therefore share no code: both include this header, which holds
// plain data only, and neither includes a header of the other.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace minidl {

constexpr int64_t PREDICT_ROWS = 128;     // the rows of a prediction that are computed together
constexpr size_t TOO_LARGE = SIZE_MAX;    // a number of bytes that no memory can hold
constexpr int64_t MOST_NAMES = 8;         // settings of a kind
constexpr int64_t MOST_VECTORS = 4;       // vectors of an optimizer
constexpr int64_t MOST_STATISTICS = 4;    // statistics of a layer

// NumPy's interface to its bit generators, `bitgen_t`.
struct BitGenerator {
  void* state;
  uint64_t (*next_uint64)(void*);
  uint32_t (*next_uint32)(void*);
  double (*next_double)(void*);
  uint64_t (*next_raw)(void*);
};

// Names in order; the first null ends them.
struct Names {
  const char* at[MOST_NAMES + 1];
};

// The facts that the border needs about each kind. A kind's number is its place in the table.
struct LayerFacts {
  const char* name;                       // of the class in Python
  Names settings, words;                  // words: of the first setting, which is then the place of one of them
  bool has_weights;                       // weight (out, in), perhaps a bias; settings[0] is then the learning rate
  bool per_feature;                       // its weight is (out), there is a bias, and it keeps its width
  bool draws;                             // from a generator, unless settings[0] is 0
  bool adds_branch;                       // adds the input of a layer below to its own
  Names statistics;                       // arrays of one number per feature, and last an int64 count of batches
  int64_t least_batch;                    // the samples that a batch of a training must have
  bool is_activation;
  bool gives_probabilities;               // outputs between 0 and 1
};

struct LossFacts {
  const char* name;
  Names settings;
  bool takes_classes;                     // class indices as targets, beside rows of numbers
  bool needs_probabilities;
  int64_t outputs;                        // for each target; 0: as many as there are settings that are not nan
};

struct OptimizerFacts {
  const char* name;
  Names settings, vectors;
  int64_t required;                       // vectors that must be there; those behind them may be missing
  bool one_pass;                          // faster than NumPy on long vectors
};

template <class Facts>
struct Table {
  const Facts* first;
  int64_t count;
};

struct Catalogue {
  Table<LayerFacts> layers;
  Table<LossFacts> losses;
  Table<OptimizerFacts> optimizers;
};

// A layer. `weight` and `bias` are the starts of its parameters in the vector, -1 without.
struct Layer {
  int64_t kind, in, out, weight, bias;
  int64_t first_setting;                  // row of the chain's settings
  bool trained;                           // false where its parameters are frozen
  int64_t branch;                         // the layer whose input is added to its own; -1 without
  bool branches;                          // its input is added to that of this or a later layer
};

// Where a parameter that is trained lies in the vector, and the layer that it belongs to.
struct Range {
  int64_t start, count, layer, axes;
};

// The statistics of a layer, for all replicates: what training measures, and prediction uses.
struct Statistics {
  void* at[MOST_STATISTICS];
};

// A network, checked: widths meet, and all parameters lie inside the vector.
struct Chain {
  bool is_double, replicated;
  int64_t replicates, size, count;
  const Layer* layers;
  const Range* ranges;                    // of all parameters that are trained, in order
  int64_t range_count;
  bool all_trained;                       // nothing is frozen
  const double* settings;                 // (settings of all layers, replicates)
  BitGenerator* const* generators;        // (count, replicates), null where nothing is drawn
};

// Threads that share the steps of one network. `run` calls part(context, i) for i = 0 ... count - 1, each in a thread of
// its own, 0 in the one that calls, and returns when all are done.
struct Team {
  int64_t count;
  void (*run)(void* context, void (*part)(void*, int64_t), void* of_part);
  void* context;
};

// One pass through the samples, for all replicates. Replicates share an array whose stride is 0.
struct Pass {
  int64_t samples, batch;                 // samples in the arrays
  int64_t visited;                        // samples in the order, which may be fewer or more
  const void* x;
  int64_t x_stride;
  const void* y;                          // int64 classes if `classes`, else of the dtype
  int64_t y_stride, target_cols;
  bool classes;
  const double* weights;                  // of the samples; null: each counts once
  int64_t weight_stride;
  const void* order;                      // null: all as they lie
  int64_t order_stride;
  bool order_is_32;
  int64_t loss;
  const double* loss_settings;            // (settings of the loss, replicates)
  bool mean, per_sample, counted;         // per_sample: the mean of the samples' sums over the features
  double threshold;
  const double* l2;                       // of each replicate; null: no penalty
  int64_t optimizer;
  const double* optimizer_settings;       // (settings of the optimizer, replicates)
  void* values;                           // the parameters
  void* vectors[MOST_VECTORS];            // of the optimizer, null where missing
  const Statistics* statistics;           // one for each layer; null where no layer has any
  const double* rates;                    // null: the layers' own
  int64_t rate_step, rate_replicate;      // strides
  int64_t t;                              // steps that the optimizer has made before
  const Team* team;                       // null: one thread
  double *losses, *hits;                  // the results, one number per replicate
  int64_t *steps, *diverged;
};

// Asked after every step; true ends the pass.
struct Stop {
  bool (*ask)(void*);
  void* context;
};

// The functions of one instruction set, for one dtype. A workspace is aligned to 64 bytes. It is zeroed memory, or what
// calls of the same function with the same chain have left there, if their batches (or in predictions and evaluations
// PREDICT_ROWS, where there are fewer rows) were as large: they lay it out alike.
struct Kernel {
  size_t (*train_bytes)(const Chain&, int64_t rows);
  void (*train)(const Chain&, const Pass&, int64_t replicate, void* workspace, Stop);
  void (*step)(const Chain&, const Pass&, int64_t replicate, const void* gradients);
  // The loss and the hits of some samples in evaluation mode, as `train` adds them up; the pass needs no optimizer.
  size_t (*evaluate_bytes)(const Chain&, int64_t rows);
  void (*evaluate)(const Chain&, const Pass&, int64_t replicate, int64_t start, int64_t rows, void* workspace,
                   double* loss, double* hits);
  size_t (*predict_bytes)(const Chain&, int64_t rows);
  void (*predict)(const Chain&, int64_t replicate, const void* values, const Statistics*, const void* x, void* y,
                  int64_t rows, void* workspace);
  void (*function)(int64_t kind, const void* x, void* y, int64_t n);  // an activation; exp for kind -1
};

}  // namespace minidl
