#include "program.hpp"

#include <cstring>

namespace minidl {

namespace baseline {
extern const Kernel kernels[2];
}
#ifdef MINIDL_X86
namespace avx2 {
extern const Kernel kernels[2];
}
namespace avx512 {
extern const Kernel kernels[2];
}
#endif

namespace {

const Isa ISAS[] = {
    {"baseline", [] { return true; }, baseline::kernels},
#ifdef MINIDL_X86
    {"avx2", [] { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }, avx2::kernels},
    {"avx512",
     [] {
       return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
              __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
              __builtin_cpu_supports("fma");
     },
     avx512::kernels},
#endif
};

}  // namespace

const Isa* find_isa(const char* name) {
  const Isa* found = nullptr;
  for (const Isa& isa : ISAS) {
    if (isa.available() && (!*name || !std::strcmp(name, isa.name))) found = &isa;
  }
  if (!found) refuse(PyExc_ValueError, "an instruction set that this processor has, got %s", name);
  return found;
}

PyObject* list_isas() {
  PyObject* names = PyList_New(0);
  for (const Isa& isa : ISAS) {
    if (!names || !isa.available()) continue;
    PyObject* name = PyUnicode_FromString(isa.name);
    if (!name || PyList_Append(names, name) != 0) Py_CLEAR(names);
    Py_XDECREF(name);
  }
  return names;
}

Network::~Network() {
  for (PyObject* owner : owners_) Py_DECREF(owner);
}

bool Network::read(bool is_double, bool replicated, int64_t size, PyObject* layers, PyObject* numbers,
                   PyObject* generators, const char* isa) {
  Array array;
  isa_ = find_isa(isa);
  program.is_double = is_double;
  program.replicated = replicated;
  program.size = size;
  if (!isa_ || !read_layers(layers) || !array.open(numbers, "numbers", "d")) return false;
  program.count = (int64_t)layers_.size();
  program.replicates = array.axes() == 2 ? array.length(1) : 0;
  if (program.replicates < 1 || (!replicated && program.replicates != 1)) {
    return refuse(PyExc_ValueError, "numbers for at least one replicate, got %s", array.words().c_str());
  }
  if (!array.check("numbers", {program.count, program.replicates})) return false;
  const auto* first = (const double*)array.data();
  numbers_.assign(first, first + array.elements());
  if (!read_generators(generators)) return false;
  program.layers = layers_.data();
  program.numbers = numbers_.data();
  program.generators = generators_.data();
  return true;
}

bool Network::read_layers(PyObject* layers) {
  Array array;
  if (!array.open(layers, "layers", "q")) return false;
  if (array.axes() != 2 || array.length(0) < 1 || array.length(1) != 5) {
    return refuse(PyExc_ValueError, "layers of shape (count, 5), got %s", array.words().c_str());
  }
  layers_.resize((size_t)array.length(0));
  std::memcpy(layers_.data(), array.data(), layers_.size() * sizeof(Layer));
  bool any = false;
  for (size_t i = 0; i < layers_.size(); ++i) {
    if (!check_layer((int64_t)i)) return false;
    any |= layers_[i].kind == LINEAR;
  }
  return any || refuse(PyExc_ValueError, "a Linear among the layers, got none");
}

bool Network::check_layer(int64_t index) const {
  constexpr int64_t widest = 1 << 24;  // far beyond any that would be fast; the products below cannot overflow
  const Layer& layer = layers_[(size_t)index];
  const auto refuse_layer = [&](const char* what) {
    return refuse(PyExc_ValueError, "layers[%lld] %s", (long long)index, what);
  };
  if (layer.kind < 0 || layer.kind >= KINDS) return refuse_layer("to be of a known kind, got another");
  if (layer.in < 1 || layer.out < 1 || layer.in > widest || layer.out > widest) {
    return refuse_layer("to have widths from 1 to 2**24, got another");
  }
  if (index && layers_[(size_t)index - 1].out != layer.in) {
    return refuse_layer("to be as wide as the layer below it, got another width");
  }
  if (layer.kind != LINEAR) return layer.in == layer.out || refuse_layer("to keep its width, got two widths");
  const bool weight_inside = layer.weight >= 0 && layer.weight <= program.size &&
                             layer.in * layer.out <= program.size - layer.weight;
  const bool bias_inside = layer.bias == -1 || (layer.bias >= 0 && layer.bias <= program.size &&
                                                layer.out <= program.size - layer.bias);
  return (weight_inside && bias_inside) || refuse_layer("to have its parameters inside the vector, got a start outside");
}

namespace {

// What draws for a bit generator of NumPy. It is asked of the class, whatever a subclass may say of itself: only what
// belongs to this object lives as long as this object.
BitGenerator* interface_of(PyObject* generator) {
  PyObject* module = PyImport_ImportModule("numpy.random");
  PyObject* type = module ? PyObject_GetAttrString(module, "BitGenerator") : nullptr;
  PyObject* member = type ? PyObject_GetAttrString(type, "capsule") : nullptr;
  PyObject* capsule = member ? PyObject_CallMethod(member, "__get__", "OO", generator, type) : nullptr;
  auto* interface = capsule ? (BitGenerator*)PyCapsule_GetPointer(capsule, "BitGenerator") : nullptr;
  for (PyObject* object : {module, type, member, capsule}) Py_XDECREF(object);
  return interface;
}

}  // namespace

// For each Dropout a list of bit generators, one per replicate; None for a replicate that draws nothing.
bool Network::read_generators(PyObject* generators) {
  generators_.assign(numbers_.size(), nullptr);
  int64_t dropouts = 0;
  for (size_t i = 0; i < layers_.size(); ++i) {
    if (layers_[i].kind != DROPOUT) continue;
    if (!PyList_Check(generators) || PyList_Size(generators) <= dropouts) break;
    PyObject* list = PyList_GetItem(generators, dropouts++);
    // A copy, which nobody else can change, and which keeps the generators alive: their state lives in them.
    PyObject* own = list && PyList_Check(list) ? PyList_AsTuple(list) : nullptr;
    if (PyErr_Occurred()) return false;
    if (!own) return refuse(PyExc_ValueError, "lists of bit generators, one per replicate, got another object");
    owners_.push_back(own);
    if (PyTuple_Size(own) != program.replicates) {
      return refuse(PyExc_ValueError, "a list of bit generators, one per replicate, got %R", own);
    }
    for (int64_t r = 0; r < program.replicates; ++r) {
      PyObject* generator = PyTuple_GetItem(own, r);
      if (generator == Py_None) continue;
      BitGenerator* interface = interface_of(generator);
      if (!interface) return false;
      generators_[i * (size_t)program.replicates + (size_t)r] = interface;
    }
  }
  return true;
}

int64_t Network::lacks_generator() const {
  for (size_t i = 0; i < layers_.size(); ++i) {
    if (layers_[i].kind != DROPOUT) continue;
    for (size_t r = 0; r < (size_t)program.replicates; ++r) {
      const size_t own = i * (size_t)program.replicates + r;
      if (numbers_[own] != 0 && !generators_[own]) return (int64_t)i;
    }
  }
  return -1;
}

int64_t Network::lacks_rate() const {
  for (size_t own = 0; own < numbers_.size(); ++own) {
    const size_t layer = own / (size_t)program.replicates;
    if (layers_[layer].kind == LINEAR && numbers_[own] != numbers_[own]) return (int64_t)layer;
  }
  return -1;
}

}  // namespace minidl
