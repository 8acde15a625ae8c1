// The kinds of layers, losses and optimizers and the instruction sets, as the kernels list them.
#pragma once

#include "../isas.hpp"
#include "arrays.hpp"

#include <vector>

namespace minidl {

// The instruction set of this name; for an empty name the last one that the processor has. Null with a Python error if
// the processor lacks it.
const Isa* find_isa(const char* name);
// Names of the instruction sets that the processor has, the plainest first.
PyObject* list_isas();

// All kinds. Every instruction set has the same ones.
extern const Catalogue& KINDS;

// The facts of all kinds for Python: a dict of dicts for layers, losses and optimizers each.
PyObject* list_kinds();

// Set `kind` to the number of the kind of this name.
template <class Facts>
bool find_kind(Table<Facts> table, PyObject* name, const char* what, int64_t& kind) {
  if (!PyUnicode_Check(name)) {
    return refuse(PyExc_TypeError, "the name of %s, got %R", what, (PyObject*)Py_TYPE(name));
  }
  for (kind = 0; kind < table.count; ++kind) {
    if (PyUnicode_CompareWithASCIIString(name, table.first[kind].name) == 0) return true;
  }
  return refuse(PyExc_ValueError, "the name of %s that the engine has, got %R", what, name);
}

int64_t count_of(const Names& names);

// Strong references to the values of a mapping that has exactly these names as keys.
class Named {
 public:
  Named() = default;
  Named(const Named&) = delete;
  Named& operator=(const Named&) = delete;
  ~Named();

  // `what`, such as "setting", and `kind` word the errors. With `first_may_lack` the first name may be missing.
  bool open(PyObject* mapping, const Names& names, const char* what, const char* kind, bool first_may_lack = false);
  // Null if it is missing.
  PyObject* operator[](int64_t i) const { return values_[i]; }

 private:
  bool take(PyObject* dict, const Names& names, const char* what, const char* kind);

  PyObject* values_[MOST_NAMES] = {};
};

// Append a row of one number per replicate for each setting of a kind. The first is nan if it may be missing and is.
bool read_settings(PyObject* mapping, const Names& names, const char* kind, int64_t replicates, bool first_may_lack,
                   std::vector<double>& rows);

}  // namespace minidl
