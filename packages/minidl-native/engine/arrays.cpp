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

}  // namespace

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
    for (const char* type = types; *type; ++type) expected += (type == types ? "" : " or ") + std::string(name_of(*type));
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
