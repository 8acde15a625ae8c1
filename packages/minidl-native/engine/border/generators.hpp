// NumPy's bit generators, as compiled code draws from them.
#pragma once

#include "arrays.hpp"
#include "../interface.hpp"

namespace minidl {

// Reads the interfaces of bit generators. The base class gives them, whatever a subclass may say: only an interface that
// belongs to an object lives as long as that object.
class Interfaces {
 public:
  Interfaces() = default;
  Interfaces(const Interfaces&) = delete;
  Interfaces& operator=(const Interfaces&) = delete;
  ~Interfaces();

  // The interface of a bit generator; null with a Python error for any other object.
  BitGenerator* of(PyObject* generator);

 private:
  bool find();

  PyObject *type_ = nullptr, *member_ = nullptr;
};

}  // namespace minidl
