#include "generators.hpp"

namespace minidl {

Interfaces::~Interfaces() {
  Py_XDECREF(type_);
  Py_XDECREF(member_);
}

BitGenerator* Interfaces::of(PyObject* generator) {
  PyObject* capsule = find() ? PyObject_CallMethod(member_, "__get__", "OO", generator, type_) : nullptr;
  auto* interface = capsule ? (BitGenerator*)PyCapsule_GetPointer(capsule, "BitGenerator") : nullptr;
  Py_XDECREF(capsule);
  return interface;
}

bool Interfaces::find() {
  if (member_) return true;
  PyObject* module = PyImport_ImportModule("numpy.random");
  type_ = module ? PyObject_GetAttrString(module, "BitGenerator") : nullptr;
  member_ = type_ ? PyObject_GetAttrString(type_, "capsule") : nullptr;
  Py_XDECREF(module);
  return member_ != nullptr;
}

}  // namespace minidl
