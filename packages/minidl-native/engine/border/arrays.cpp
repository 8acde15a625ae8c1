#include "arrays.hpp"

#include <algorithm>
#include <cstring>

namespace minidl {
namespace {

std::string words_of(const int64_t* shape, size_t axes) {
  std::string words = "(";
  for (size_t i = 0; i < axes; ++i) words += (i ? ", " : "") + std::to_string(shape[i]);
  return words + (axes == 1 ? ",)" : ")");
}

// The element type of a buffer, one of "fdiq?", or 0 for any other.
char type_of(const Py_buffer& view) {
  const char* format = view.format ? view.format : "B";
  if (*format == '@' || *format == '=') ++format;
  if (format[0] == 0 || format[1] != 0) return 0;
  const bool integer = std::strchr("ilq", *format) != nullptr;
  if (integer) return view.itemsize == 4 ? 'i' : view.itemsize == 8 ? 'q' : 0;
  const Py_ssize_t size = *format == 'f' ? 4 : *format == 'd' ? 8 : *format == '?' ? 1 : 0;
  return size && view.itemsize == size ? *format : 0;
}

const char* name_of(char type) {
  switch (type) {
    case 'f': return "float32";
    case 'd': return "float64";
    case 'i': return "int32";
    case 'q': return "int64";
    case '?': return "bool";
    default: return "another dtype";
  }
}

double number_at(const char* from, char type) {
  const auto as = [from](auto number) {
    std::memcpy(&number, from, sizeof number);
    return (double)number;
  };
  switch (type) {
    case 'f': return as(0.0f);
    case 'd': return as(0.0);
    case 'i': return as((int32_t)0);
    case 'q': return as((int64_t)0);
    default: return *from != 0;
  }
}

// One number per replicate from a buffer with one axis, whatever its stride.
bool read_buffer(const Py_buffer& view, const char* name, int64_t replicates, double* to) {
  const char type = type_of(view);
  if (!type) {
    return refuse(PyExc_TypeError, "%s to be numbers, got dtype %s", name, view.format ? view.format : "bytes");
  }
  if (view.ndim != 1 || view.shape[0] != replicates) {
    const std::string got = words_of((const int64_t*)view.shape, (size_t)view.ndim);
    return refuse(PyExc_ValueError, "%s to be a number or of shape %s, got shape %s", name,
                  minidl::words_of({replicates}).c_str(), got.c_str());
  }
  for (int64_t r = 0; r < replicates; ++r) to[r] = number_at((const char*)view.buf + r * view.strides[0], type);
  return true;
}

}  // namespace

bool read_integer(PyObject* object, const char* name, int64_t least, int64_t most, int64_t& value) {
  if (!PyLong_Check(object)) {
    return refuse(PyExc_TypeError, "%s to be an integer, got %R", name, (PyObject*)Py_TYPE(object));
  }
  int overflow = 0;
  value = PyLong_AsLongLongAndOverflow(object, &overflow);
  return (!overflow && value >= least && value <= most) ||
         refuse(PyExc_ValueError, "%s from %lld to %lld, got %R", name, (long long)least, (long long)most, object);
}

bool read_numbers(PyObject* object, const char* name, int64_t replicates, double* to) {
  if (!PyFloat_Check(object) && !PyLong_Check(object) && PyObject_CheckBuffer(object)) {
    Py_buffer view;
    if (PyObject_GetBuffer(object, &view, PyBUF_STRIDES | PyBUF_FORMAT) != 0) return false;
    const bool many = view.ndim > 0;
    const bool good = many && read_buffer(view, name, replicates, to);
    PyBuffer_Release(&view);
    if (many) return good;
  }
  const double number = PyFloat_AsDouble(object);
  if (number == -1 && PyErr_Occurred()) {
    if (!PyErr_ExceptionMatches(PyExc_TypeError)) return false;
    PyErr_Clear();
    return refuse(PyExc_TypeError, "%s to be a number or an array of one per replicate, got %R", name,
                  (PyObject*)Py_TYPE(object));
  }
  std::fill(to, to + replicates, number);
  return true;
}

bool read_tuple(PyObject* object, const char* name, Py_ssize_t count, PyObject** items) {
  if (!PyTuple_Check(object) || PyTuple_Size(object) != count) {
    return refuse(PyExc_TypeError, "%s to be a tuple of %zd, got %R", name, count, (PyObject*)Py_TYPE(object));
  }
  for (Py_ssize_t i = 0; i < count; ++i) items[i] = PyTuple_GetItem(object, i);
  return true;
}

std::string words_of(Shape shape) { return words_of(shape.begin(), shape.size()); }

bool Array::open(PyObject* object, const char* name, const char* types, bool writable) {
  if (!PyObject_CheckBuffer(object)) {
    return refuse(PyExc_TypeError, "%s to be an array, got %R", name, (PyObject*)Py_TYPE(object));
  }
  if (PyObject_GetBuffer(object, &view_, PyBUF_STRIDES | PyBUF_FORMAT) != 0) return false;
  held_ = true;
  type_ = type_of(view_);
  if (!type_ || !std::strchr(types, type_)) {
    std::string expected;
    for (const char* type = types; *type; ++type) {
      expected += (type == types ? "" : " or ") + std::string(name_of(*type));
    }
    const char* got = type_ ? name_of(type_) : view_.format ? view_.format : "bytes";
    return refuse(PyExc_TypeError, "%s to be %s, got %s", name, expected.c_str(), got);
  }
  if (!PyBuffer_IsContiguous(&view_, 'C')) {
    return refuse(PyExc_ValueError, "%s to be C-contiguous, got %s with other strides", name, words().c_str());
  }
  if ((uintptr_t)view_.buf % (uintptr_t)view_.itemsize) {
    return refuse(PyExc_ValueError, "%s to be aligned, got %s that is not", name, words().c_str());
  }
  if (writable && view_.readonly) {
    return refuse(PyExc_ValueError, "%s to be writable, got %s that is read-only", name, words().c_str());
  }
  return true;
}

std::string Array::words() const {
  return std::string(name_of(type_)) + " " + words_of((const int64_t*)view_.shape, (size_t)view_.ndim);
}

bool Array::has(Shape shape) const {
  return (size_t)view_.ndim == shape.size() && std::equal(shape.begin(), shape.end(), view_.shape);
}

bool Array::check(const char* name, Shape shape) const {
  return has(shape) || refuse(PyExc_ValueError, "%s of shape %s, got %s", name, minidl::words_of(shape).c_str(),
                              words().c_str());
}

bool Array::check(const char* name, Shape shape, Shape other) const {
  return has(shape) || has(other) ||
         refuse(PyExc_ValueError, "%s of shape %s or %s, got %s", name, minidl::words_of(shape).c_str(),
                minidl::words_of(other).c_str(), words().c_str());
}

}  // namespace minidl
