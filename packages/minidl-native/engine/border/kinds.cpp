#include "kinds.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace minidl {

const Catalogue& KINDS = baseline::catalogue;

namespace {

std::string words_of(const Names& names) {
  std::string words;
  for (const char* const* name = names.at; *name; ++name) words += (name == names.at ? "" : ", ") + std::string(*name);
  return words.empty() ? "none" : words;
}

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

namespace {

PyObject* tuple_of(const Names& names) {
  const int64_t count = count_of(names);
  PyObject* tuple = PyTuple_New((Py_ssize_t)count);
  for (int64_t i = 0; tuple && i < count; ++i) {
    PyObject* name = PyUnicode_FromString(names.at[i]);
    if (!name || PyTuple_SetItem(tuple, (Py_ssize_t)i, name) != 0) Py_CLEAR(tuple);
  }
  return tuple;
}

PyObject* truth(bool value) { return PyBool_FromLong(value); }

// Each value is a new reference, which the dict takes over.
PyObject* facts_of(const LayerFacts& layer) {
  const Names parameters = layer.has_weights ? Names{{"weight", "bias"}} : Names{};
  return Py_BuildValue("{sNsNsNsNsNsNsNsLsNsN}", "settings", tuple_of(layer.settings), "words", tuple_of(layer.words),
                       "parameters", tuple_of(parameters), "per_feature", truth(layer.per_feature), "draws",
                       truth(layer.draws), "adds_branch", truth(layer.adds_branch), "statistics",
                       tuple_of(layer.statistics), "least_batch", (long long)layer.least_batch, "is_activation",
                       truth(layer.is_activation), "gives_probabilities", truth(layer.gives_probabilities));
}

PyObject* facts_of(const LossFacts& loss) {
  return Py_BuildValue("{sNsNsN}", "settings", tuple_of(loss.settings), "takes_classes", truth(loss.takes_classes),
                       "needs_probabilities", truth(loss.needs_probabilities));
}

PyObject* facts_of(const OptimizerFacts& optimizer) {
  return Py_BuildValue("{sNsNsLsN}", "settings", tuple_of(optimizer.settings), "vectors", tuple_of(optimizer.vectors),
                       "required", (long long)optimizer.required, "one_pass", truth(optimizer.one_pass));
}

template <class Facts>
PyObject* dict_of(Table<Facts> table) {
  PyObject* dict = PyDict_New();
  for (int64_t i = 0; dict && i < table.count; ++i) {
    PyObject* facts = facts_of(table.first[i]);
    if (!facts || PyDict_SetItemString(dict, table.first[i].name, facts) != 0) Py_CLEAR(dict);
    Py_XDECREF(facts);
  }
  return dict;
}

}  // namespace

PyObject* list_kinds() {
  return Py_BuildValue("{sNsNsN}", "layers", dict_of(KINDS.layers), "losses", dict_of(KINDS.losses), "optimizers",
                       dict_of(KINDS.optimizers));
}

int64_t count_of(const Names& names) {
  int64_t count = 0;
  while (names.at[count]) ++count;
  return count;
}

Named::~Named() {
  for (PyObject* value : values_) Py_XDECREF(value);
}

// Nothing here runs Python code, so under the GIL the dict stays as it is; without the GIL it is a copy.
bool Named::take(PyObject* dict, const Names& names, const char* what, const char* kind) {
  PyObject *key, *value;
  Py_ssize_t position = 0;
  while (PyDict_Next(dict, &position, &key, &value)) {
    int64_t i = 0;
    if (PyUnicode_Check(key)) {
      while (names.at[i] && PyUnicode_CompareWithASCIIString(key, names.at[i]) != 0) ++i;
    }
    if (!PyUnicode_Check(key) || !names.at[i]) {
      return refuse(PyExc_ValueError, "%s of %s among %s, got %R", what, kind, words_of(names).c_str(), key);
    }
    Py_INCREF(value);
    values_[i] = value;
  }
  return true;
}

bool Named::open(PyObject* mapping, const Names& names, const char* what, const char* kind, bool first_may_lack) {
  PyObject* dict = nullptr;
  if (PyDict_Check(mapping)) {
#ifdef Py_GIL_DISABLED
    dict = PyDict_Copy(mapping);
    if (!dict) return false;
#else
    Py_INCREF(mapping);
    dict = mapping;
#endif
  } else {
    dict = PyDict_New();
    if (!dict || PyDict_Update(dict, mapping) != 0) {
      Py_XDECREF(dict);
      if (!PyErr_ExceptionMatches(PyExc_AttributeError) && !PyErr_ExceptionMatches(PyExc_TypeError)) return false;
      PyErr_Clear();
      return refuse(PyExc_TypeError, "%ss of %s by name, got %R", what, kind, (PyObject*)Py_TYPE(mapping));
    }
  }
  const bool good = take(dict, names, what, kind);
  Py_DECREF(dict);
  if (!good) return false;
  for (int64_t i = first_may_lack; names.at[i]; ++i) {
    if (!values_[i]) return refuse(PyExc_ValueError, "%s %s of %s, got none", what, names.at[i], kind);
  }
  return true;
}

bool read_settings(PyObject* mapping, const Names& names, const char* kind, int64_t replicates, bool first_may_lack,
                   std::vector<double>& rows) {
  Named found;
  if (!found.open(mapping, names, "setting", kind, first_may_lack)) return false;
  const size_t before = rows.size();
  rows.resize(before + (size_t)count_of(names) * (size_t)replicates, NAN);
  double* row = rows.data() + before;
  for (int64_t i = 0; names.at[i]; ++i, row += replicates) {
    if (found[i] && PyFloat_Check(found[i])) {  // the name below, which only errors need, takes longer than all else
      std::fill(row, row + replicates, PyFloat_AsDouble(found[i]));
      continue;
    }
    const std::string name = std::string(names.at[i]) + " of " + kind;
    if (found[i] && !read_numbers(found[i], name.c_str(), replicates, row)) return false;
  }
  return true;
}

}  // namespace minidl
