// A network as the engine runs it, checked once when it is made.
#pragma once

#include "arrays.hpp"
#include "engine.hpp"

#include <vector>

namespace minidl {

// An instruction set: its kernels for float32 and float64.
struct Isa {
  const char* name;
  bool (*available)();
  const Kernel* kernels;
};

// The last one that the processor has, or the one of this name; null with a Python error if it has not.
const Isa* find_isa(const char* name);
// Their names, the plainest first, as a list for Python.
PyObject* list_isas();

// What a Program points to, and the objects that keep it alive.
class Network {
 public:
  Network() = default;
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;
  ~Network();

  bool read(bool is_double, bool replicated, int64_t size, PyObject* layers, PyObject* numbers, PyObject* generators,
            const char* isa);

  const Kernel& kernel() const { return isa_->kernels[program.is_double]; }
  const char* float_type() const { return program.is_double ? "d" : "f"; }
  int64_t in() const { return layers_.front().in; }
  int64_t out() const { return layers_.back().out; }
  // The layer that would draw from a generator that it has not, or -1.
  int64_t lacks_generator() const;
  // The Linear that has no learning rate of its own, or -1.
  int64_t lacks_rate() const;

  Program program = {};

 private:
  bool read_layers(PyObject* layers);
  bool check_layer(int64_t index) const;
  bool read_generators(PyObject* generators);

  std::vector<Layer> layers_;
  std::vector<double> numbers_;
  std::vector<BitGenerator*> generators_;
  std::vector<PyObject*> owners_;
  const Isa* isa_ = nullptr;
};

}  // namespace minidl
