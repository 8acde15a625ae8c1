// Python's arrays, numbers and tuples, checked: what leaves here is plain memory of known size.
#pragma once

// The stable ABI, which free-threaded builds of Python do not have. Their pyconfig.h says what they are.
#include <pyconfig.h>
#ifndef Py_GIL_DISABLED
#define Py_LIMITED_API 0x030B0000
#endif
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <cstdint>
#include <initializer_list>
#include <string>

namespace minidl {

// What is being read, if it is not the main thing, such as "validation: "; errors begin with it.
inline thread_local const char* about = "";

struct About {
  explicit About(const char* words) { about = words; }
  ~About() { about = ""; }
};

// Set a Python error and return false; a check ends with it.
template <class... Words>
bool refuse(PyObject* type, const char* format, Words... words) {
  PyErr_Format(type, (std::string("minidl_native: ") + about + "expected " + format).c_str(), words...);
  return false;
}

bool read_integer(PyObject* object, const char* name, int64_t least, int64_t most, int64_t& value);

// A number, or an array of one number per replicate; `to` gets one number per replicate either way.
bool read_numbers(PyObject* object, const char* name, int64_t replicates, double* to);

// Borrowed references to the items of a tuple of this length.
bool read_tuple(PyObject* object, const char* name, Py_ssize_t count, PyObject** items);

using Shape = std::initializer_list<int64_t>;

std::string words_of(Shape shape);

// A view of an array, held as long as this object lives.
class Array {
 public:
  Array() = default;
  Array(const Array&) = delete;
  Array& operator=(const Array&) = delete;
  ~Array() {
    if (held_) PyBuffer_Release(&view_);
  }

  // Take the view of a C-contiguous, aligned array with one of these element types: f and d for float32 and float64,
  // i and q for int32 and int64, ? for bool.
  bool open(PyObject* object, const char* name, const char* types, bool writable = false);
  // The same, but None leaves it empty.
  bool open_optional(PyObject* object, const char* name, const char* types, bool writable = false) {
    return object == Py_None || open(object, name, types, writable);
  }

  bool has(Shape shape) const;
  // Refuse every shape but these.
  bool check(const char* name, Shape shape) const;
  bool check(const char* name, Shape shape, Shape other) const;

  bool empty() const { return !held_; }
  char type() const { return type_; }
  int64_t axes() const { return view_.ndim; }
  int64_t length(int64_t axis) const { return view_.shape[axis]; }
  int64_t elements() const { return view_.itemsize ? view_.len / view_.itemsize : 0; }
  void* data() const { return held_ ? view_.buf : nullptr; }
  std::string words() const;  // such as "float32 (50, 25)"

 private:
  Py_buffer view_ = {};
  bool held_ = false;
  char type_ = 0;
};

}  // namespace minidl
