// The border of the kernels to JavaScript: what border/ is to Python. It checks nothing; engine.mjs, network.mjs and
// fit.mjs make what it is given.
//
// The kernels are compiled into this file as they are, for WebAssembly's vectors of 128 bits. Only what float32 needs
// of them is used here, and the linker leaves out the rest.
#include "../../../packages/minidl-native/engine/kernel/kernel.cpp"
#include "memory.hpp"
#include "random.hpp"

#define EXPORTED(name) extern "C" __attribute__((export_name(#name), visibility("default")))

namespace minidl {
namespace {

using namespace MINIDL_ISA;

constexpr int32_t TEXT = 8192;

struct Text {
  char at[TEXT];
  int32_t used;

  void add(const char* word) {
    for (; *word && used < TEXT - 1; ++word) at[used++] = *word;
  }
  void line(const char* group, const char* name, const Names& settings) {
    add(group);
    add(" ");
    add(name);
    for (const char* const* setting = settings.at; *setting; ++setting) {
      add(" ");
      add(*setting);
    }
    add("\n");
  }
};

constexpr Catalogue KINDS = {layer_table(Layers()), loss_table(Losses()), optimizer_table(Optimizers())};

// A network of R replicates. Its arrays belong to JavaScript, which allocates and frees them.
struct Network {
  Chain chain;
  Layer* layers;
  Range* ranges;
  BitGenerator** drawing;
  BitGenerator* interfaces;
  PCG64* generators;
};

uint32_t next32(void* state) { return ((PCG64*)state)->next32(); }
bool never(void*) { return false; }

struct Workspace {
  explicit Workspace(size_t bytes) : memory(take(bytes)) {}
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  ~Workspace() { give_back(memory); }
  void* memory;
};

void add_range(Network* network, int64_t layer, int64_t start, int64_t count, int64_t axes) {
  network->ranges[network->chain.range_count++] = {start, count, layer, axes};
}

}  // namespace
}  // namespace minidl

using namespace minidl;

// The kinds that the kernels have, a line each: group, name, names of settings.
EXPORTED(kinds) const char* kinds() {
  static Text text = {};
  if (text.used) return text.at;
  for (int64_t i = 0; i < KINDS.layers.count; ++i) {
    const LayerFacts& layer = KINDS.layers.first[i];
    text.line(layer.is_activation ? "activation" : "layer", layer.name, layer.settings);
  }
  for (int64_t i = 0; i < KINDS.losses.count; ++i) {
    text.line("loss", KINDS.losses.first[i].name, KINDS.losses.first[i].settings);
  }
  for (int64_t i = 0; i < KINDS.optimizers.count; ++i) {
    text.line("optimizer", KINDS.optimizers.first[i].name, KINDS.optimizers.first[i].settings);
  }
  return text.at;
}

EXPORTED(allocate) void* allocate(int32_t bytes) { return take((size_t)bytes); }
EXPORTED(release) void release(void* memory) { give_back(memory); }

// Generators, each from a seed of one word.
EXPORTED(new_generators) PCG64* new_generators(const uint32_t* seeds, int32_t count) {
  auto* generators = take_array<PCG64>(count);
  for (int32_t r = 0; r < count; ++r) generators[r] = PCG64(SeedSequence(seeds + r, 1));
  return generators;
}

EXPORTED(draw_normal) void draw_normal(PCG64* generators, int32_t r, double* to, int32_t n) {
  for (int32_t i = 0; i < n; ++i) to[i] = standard_normal(generators[r]);
}
EXPORTED(draw_uniform) void draw_uniform(PCG64* generators, int32_t r, double* to, int32_t n) {
  for (int32_t i = 0; i < n; ++i) to[i] = generators[r].uniform();
}
EXPORTED(draw_permutation) void draw_permutation(PCG64* generators, int32_t r, int32_t* to, int32_t n) {
  permutation(generators[r], to, n);
}

// Layers are given as five numbers each: kind, in, out, start of the weights and of the biases (-1 without).
EXPORTED(new_network)
Network* new_network(int32_t replicates, int32_t size, const int32_t* layers, int32_t count, const double* settings,
                     PCG64* generators) {
  auto* network = take_array<Network>(1);
  network->layers = take_array<Layer>(count);
  network->ranges = take_array<Range>(count * 2);
  network->interfaces = take_array<BitGenerator>(replicates);
  network->drawing = take_array<BitGenerator*>(count * replicates);
  network->generators = generators;
  network->chain.is_double = false;
  network->chain.replicated = true;
  for (int32_t r = 0; r < replicates; ++r) network->interfaces[r] = {generators + r, nullptr, next32, nullptr, nullptr};
  int64_t first_setting = 0;
  for (int32_t i = 0; i < count; ++i, layers += 5) {
    const LayerFacts& facts = KINDS.layers.first[layers[0]];
    network->layers[i] = {layers[0], layers[1],        layers[2], layers[3], layers[4],
                          first_setting, facts.has_weights, -1,        false};
    first_setting += count_of(facts.settings);
    if (layers[3] >= 0) add_range(network, i, layers[3], (int64_t)layers[1] * layers[2], 2);
    if (layers[4] >= 0) add_range(network, i, layers[4], layers[2], 1);
    for (int32_t r = 0; facts.draws && r < replicates; ++r) {
      network->drawing[i * replicates + r] = network->interfaces + r;
    }
  }
  Chain& chain = network->chain;
  chain.replicates = replicates;
  chain.size = size;
  chain.count = count;
  chain.layers = network->layers;
  chain.ranges = network->ranges;
  chain.all_trained = true;
  chain.settings = settings;
  chain.generators = network->drawing;
  return network;
}

EXPORTED(free_network) void free_network(Network* network) {
  give_back(network->layers);
  give_back(network->ranges);
  give_back(network->interfaces);
  give_back(network->drawing);
  give_back(network);
}

// One pass through the samples for all replicates: a step for each batch. Without `order`, the samples come as they
// lie. `orders` is 0 where the replicates share an order, else its length. Targets are classes (`cols` is 0) or `cols`
// numbers.
EXPORTED(train)
void train(const Network* network, const float* x, const void* y, int32_t samples, int32_t cols, const int32_t* order,
           int32_t orders, int32_t batch, int32_t loss, const double* loss_settings, double threshold,
           int32_t optimizer, const double* optimizer_settings, float* values, float* first, float* second,
           const double* rates, int32_t t, double* results, int64_t* counts) {
  const Chain& chain = network->chain;
  Pass pass = {};
  pass.samples = pass.visited = samples;
  pass.batch = batch;
  pass.x = x;
  pass.y = y;
  pass.classes = !cols;
  pass.target_cols = cols ? cols : chain.layers[chain.count - 1].out;
  pass.order = order;
  pass.order_stride = orders;
  pass.order_is_32 = true;
  pass.loss = loss;
  pass.loss_settings = loss_settings;
  pass.mean = pass.counted = true;
  pass.threshold = threshold;
  pass.optimizer = optimizer;
  pass.optimizer_settings = optimizer_settings;
  pass.values = values;
  pass.vectors[0] = first;
  pass.vectors[1] = second;
  pass.rates = rates;
  pass.rate_step = 1;
  pass.t = t;
  pass.losses = results;
  pass.hits = results + chain.replicates;
  pass.steps = counts;
  pass.diverged = counts + chain.replicates;
  const size_t bytes = train_bytes<float>(chain, batch < samples ? batch : samples);
  const Workspace workspace(bytes);
  for (int64_t r = 0; r < chain.replicates; ++r) {
    __builtin_memset(workspace.memory, 0, bytes);
    pass.losses[r] = pass.hits[r] = 0;  // the kernel adds to them
    MINIDL_ISA::train<float>(chain, pass, r, workspace.memory, {never, nullptr});
  }
}

// The output of the first `count` layers of a replicate.
EXPORTED(predict)
void predict(const Network* network, int32_t count, int32_t r, const float* values, const float* x, float* y,
             int32_t rows) {
  Chain part = network->chain;
  part.count = count;
  const Workspace workspace(predict_bytes<float>(part, rows));
  MINIDL_ISA::predict<float>(part, r, values + r * part.size, nullptr, x, y, rows, workspace.memory);
}
