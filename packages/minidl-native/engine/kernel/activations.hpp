// The activations, element by element. A new one is a struct here and an entry in the list at the end.
#pragma once

#include "kinds.hpp"

namespace minidl {
namespace MINIDL_ISA {

// Defaults of an activation. A struct derived from this one has
//
//   name                          the class in Python
//   settings                      names of its settings, in the order in which the formulas read them
//   needs_input, needs_output     what `derivative` reads of x and y; the engine keeps both in memory of their own
//                                 unless a kind says that it does not need them
//   gives_probabilities           whether y always lies between 0 and 1
//   value(x, settings)            y
//   derivative(x, y, g, settings) dL/dx, where g is dL/dy; x or y is zero if the kind does not need it
struct Activation {
  static constexpr Names settings = {};
  static constexpr bool needs_input = true, needs_output = true;
  static constexpr bool gives_probabilities = false;
};

struct ReLU : Activation {
  static constexpr const char* name = "ReLU";
  static constexpr bool needs_input = false;  // x > 0 exactly where y > 0

  template <class T>
  static Vector<T> value(Vector<T> x, const Numbers<T>&) {
    return x <= 0 ? Vector<T>{} : x;  // nan stays
  }
  template <class T>
  static Vector<T> derivative(Vector<T>, Vector<T> y, Vector<T> g, const Numbers<T>&) {
    return g * (y > 0 ? all<T>(1) : Vector<T>{});
  }
};

struct LeakyReLU : Activation {
  static constexpr const char* name = "LeakyReLU";
  static constexpr Names settings = {{"alpha"}};
  static constexpr bool needs_output = false;  // alpha may be negative: the sign of y does not tell that of x

  template <class T>
  static Vector<T> value(Vector<T> x, const Numbers<T>& settings) {
    return x > 0 ? x : settings[0] * x;
  }
  template <class T>
  static Vector<T> derivative(Vector<T> x, Vector<T>, Vector<T> g, const Numbers<T>& settings) {
    return x > 0 ? g : settings[0] * g;
  }
};

struct Tanh : Activation {
  static constexpr const char* name = "Tanh";
  static constexpr bool needs_input = false;

  template <class T>
  static Vector<T> value(Vector<T> x, const Numbers<T>&) {
    return tanh<T>(x);
  }
  template <class T>
  static Vector<T> derivative(Vector<T>, Vector<T> y, Vector<T> g, const Numbers<T>&) {
    return g * (1 - y * y);
  }
};

struct Sigmoid : Activation {
  static constexpr const char* name = "Sigmoid";
  static constexpr bool needs_input = false;
  static constexpr bool gives_probabilities = true;

  template <class T>
  static Vector<T> value(Vector<T> x, const Numbers<T>&) {
    return sigmoid<T>(x);
  }
  template <class T>
  static Vector<T> derivative(Vector<T>, Vector<T> y, Vector<T> g, const Numbers<T>&) {
    return g * (y * (1 - y));
  }
};

using Activations = List<ReLU, LeakyReLU, Tanh, Sigmoid>;

}  // namespace MINIDL_ISA
}  // namespace minidl
