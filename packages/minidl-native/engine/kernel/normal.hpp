// The distribution function of the standard normal distribution, and its approximation by tanh.
#pragma once

#include "vector.hpp"

namespace minidl {
namespace MINIDL_ISA {

// Φ(x), the probability of a number below x, and its derivative.
template <class T>
struct Normal {
  Vector<T> below, density;
};

// P(t) = Φ(-a) exp(a²/2) (a + 4.5) with t = (a - 4.5) / (a + 4.5), for a >= 0: the coefficients of its Chebyshev
// series, cut where the rest is below half an ulp and written in powers of t. Python's are in arrays/normal.py.
template <class T>
struct Tail;
template <>
struct Tail<float> {
  static constexpr int count = 12;
  static constexpr float at[] = {0.763230533f,    -0.640257766f,   0.446452191f,   -0.253141632f,
                                 0.111386465f,    -0.0338727017f,  0.00420667617f, 0.00175370794f,
                                 -0.000883616948f, -2.21679253e-6f, 7.88959909e-5f, -8.25168695e-6f};
};
template <>
struct Tail<double> {
  static constexpr int count = 24;
  static constexpr double at[] = {
      0.76323052897020315,    -0.640257760252617,     0.44645251705567325,    -0.25314179995097779,
      0.11138259657043309,    -0.033871326176830621,  0.0042236133767849956,  0.0017488305626411952,
      -0.00091774647721526404, 6.381197673470134e-6,   0.00011204260657681428, -1.5933330473343638e-5,
      -1.4235710470352268e-5, 3.1910202048127074e-6,  2.1426722429963271e-6,  -5.0195728032091812e-7,
      -3.7925600368649236e-7, 6.405463360095078e-8,   7.0598444956168334e-8,  -4.7695320872466843e-9,
      -1.1249671509939883e-8, -2.9415820542718567e-10, 1.0437179188005654e-9,  9.7432930756748678e-11};
};

// Within -40 and 40. Φ(-a) = exp(-a²/2) P(t) / (a + 4.5), which keeps its digits, and Φ(a) = 1 - Φ(-a).
template <class T>
inline Normal<T> normal(Vector<T> x) {
  const Vector<T> a = absolute<T>(x), t = (a - (T)4.5) / (a + (T)4.5);
  constexpr int last = Tail<T>::count - 1;
  Vector<T> p = all<T>(Tail<T>::at[last]);
  MINIDL_UNROLL for (int i = last - 1; i >= 0; --i) p = p * t + Tail<T>::at[i];
  // An error of a² would be multiplied by a²/2. h is a rounded to sixteenths, so h² is exact: a² = h² + (a-h)(a+h).
  const Vector<T> h = ((a * 16 + Number<T>::magic) - Number<T>::magic) / 16;
  const Vector<T> bell = exp<T>(-h * h / 2) * exp<T>(-(a - h) * (a + h) / 2);
  const Vector<T> tail = bell * p / (a + (T)4.5);
  return {x < 0 ? tail : 1 - tail, bell * (T)0.39894228040143267794};
}

// Φ(x) ≈ (1 + tanh(u)) / 2 with u = √(2/π) (x + 0.044715 x³). This is σ(z) with z = 2u, where no sum cancels.
template <class T>
inline Normal<T> normal_by_tanh(Vector<T> x) {
  constexpr T slope = (T)1.5957691216057307118, cubic = (T)0.044715;
  const Vector<T> z = slope * (x + cubic * x * x * x), below = sigmoid<T>(z);
  return {below, below * sigmoid<T>(-z) * slope * (1 + 3 * cubic * x * x)};
}

}  // namespace MINIDL_ISA
}  // namespace minidl
