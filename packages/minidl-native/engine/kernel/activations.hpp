// The activations, element by element. A new one is a struct here and an entry in the list at the end.
#pragma once

#include "kinds.hpp"
#include "normal.hpp"

namespace minidl {
namespace MINIDL_ISA {

// Defaults of an activation. A struct derived from this one has
//
//   name                          the class in Python
//   settings                      names of its settings, in the order in which the formulas read them
//   words                         what the first setting may be, if it is a word; the formulas read its place in here
//   needs_input, needs_output     what `derivative` reads of x and y; the engine keeps both in memory of their own
//                                 unless a kind says that it does not need them
//   gives_probabilities           whether y always lies between 0 and 1
//   value(x, settings)            y
//   derivative(x, y, g, settings) dL/dx, where g is dL/dy; x or y is zero if the kind does not need it
struct Activation {
  static constexpr Names settings = {}, words = {};
  static constexpr bool needs_input = true, needs_output = true;
  static constexpr bool gives_probabilities = false;
};

struct Identity : Activation {
  static constexpr const char* name = "Identity";
  static constexpr bool needs_input = false, needs_output = false;

  template <class T>
  static Vector<T> value(Vector<T> x, const Numbers<T>&) {
    return x;
  }
  template <class T>
  static Vector<T> derivative(Vector<T>, Vector<T>, Vector<T> g, const Numbers<T>&) {
    return g;
  }
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

struct ELU : Activation {
  static constexpr const char* name = "ELU";
  static constexpr Names settings = {{"alpha"}};
  static constexpr bool needs_output = false;

  template <class T>
  static Vector<T> value(Vector<T> x, const Numbers<T>& settings) {
    return x > 0 ? x : settings[0] * expm1_of_negative<T>(x > 0 ? Vector<T>{} : x);
  }
  template <class T>
  static Vector<T> derivative(Vector<T> x, Vector<T>, Vector<T> g, const Numbers<T>& settings) {
    return x > 0 ? g : settings[0] * exp<T>(x) * g;
  }
};

struct Softplus : Activation {
  static constexpr const char* name = "Softplus";
  static constexpr Names settings = {{"beta"}};
  static constexpr bool needs_output = false;

  template <class T>
  static Vector<T> value(Vector<T> x, const Numbers<T>& settings) {
    const Vector<T> e = exp<T>(-absolute<T>(settings[0] * x));
    return (x < 0 ? Vector<T>{} : x) + log1p_of_part<T>(e) / settings[0];
  }
  template <class T>
  static Vector<T> derivative(Vector<T> x, Vector<T>, Vector<T> g, const Numbers<T>& settings) {
    return g * sigmoid<T>(settings[0] * x);
  }
};

// Beyond the limits of `within` the sigmoid is 0 or 1; an infinity times 0 would be nan.
struct SiLU : Activation {
  static constexpr const char* name = "SiLU";
  static constexpr bool needs_output = false;

  template <class T>
  static Vector<T> value(Vector<T> x, const Numbers<T>&) {
    return (x < -1000 ? all<T>(-1000) : x) * sigmoid<T>(x);
  }
  template <class T>
  static Vector<T> derivative(Vector<T> x, Vector<T>, Vector<T> g, const Numbers<T>&) {
    const Vector<T> s = sigmoid<T>(x);
    return g * (s + within<T>(-1000, x, 1000) * s * sigmoid<T>(-x));
  }
};

struct GELU : Activation {
  static constexpr const char* name = "GELU";
  static constexpr Names settings = {{"approximate"}}, words = {{"none", "tanh"}};
  static constexpr bool needs_output = false;

  template <class T>
  static Normal<T> normal_of(Vector<T> x, const Numbers<T>& settings) {
    const Vector<T> near = within<T>(-40, x, 40);
    return settings[0] == 1 ? normal_by_tanh<T>(near) : normal<T>(near);
  }
  template <class T>
  static Vector<T> value(Vector<T> x, const Numbers<T>& settings) {
    return (x < -40 ? all<T>(-40) : x) * normal_of<T>(x, settings).below;
  }
  template <class T>
  static Vector<T> derivative(Vector<T> x, Vector<T>, Vector<T> g, const Numbers<T>& settings) {
    const Normal<T> at = normal_of<T>(x, settings);
    return g * (at.below + within<T>(-40, x, 40) * at.density);
  }
};

using Activations = List<Identity, ReLU, LeakyReLU, Tanh, Sigmoid, ELU, Softplus, SiLU, GELU>;

}  // namespace MINIDL_ISA
}  // namespace minidl
