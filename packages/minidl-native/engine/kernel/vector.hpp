// Vectors of the instruction set's width, and their exp, tanh and sigmoid.
#pragma once

#include <stdint.h>
#if defined(__AVX512F__) || defined(__AVX2__)
#include <immintrin.h>
#endif

#if defined(__AVX512F__)
#define MINIDL_BYTES 64
#elif defined(__AVX2__)
#define MINIDL_BYTES 32
#else
#define MINIDL_BYTES 16
#endif
#define MINIDL_UNROLL _Pragma("GCC unroll 16")

namespace minidl {
namespace MINIDL_ISA {

template <class T>
struct Number;
template <>
struct Number<float> {
  typedef uint32_t Word;
  typedef float Vector __attribute__((vector_size(MINIDL_BYTES)));
  typedef uint32_t Words __attribute__((vector_size(MINIDL_BYTES)));
  static constexpr int mantissa = 23, bias = 127, terms = 8;
  static constexpr float magic = 0x1.8p23f;                             // adding it rounds to an integer
  static constexpr float ln2_high = 0x1.63p-1f, ln2_low = -0x1.bd0106p-13f;  // the first times 2**8 is exact
  static constexpr float exp_least = -104, exp_most = 89, tanh_one = 10;
};
template <>
struct Number<double> {
  typedef uint64_t Word;
  typedef double Vector __attribute__((vector_size(MINIDL_BYTES)));
  typedef uint64_t Words __attribute__((vector_size(MINIDL_BYTES)));
  static constexpr int mantissa = 52, bias = 1023, terms = 14;
  static constexpr double magic = 0x1.8p52;
  static constexpr double ln2_high = 0x1.62e42feep-1, ln2_low = 0x1.a39ef35793c76p-33;
  static constexpr double exp_least = -746, exp_most = 710, tanh_one = 20;
};

template <class T>
using Vector = typename Number<T>::Vector;
template <class T>
using Words = typename Number<T>::Words;
template <class T>
constexpr int64_t LANES = MINIDL_BYTES / sizeof(T);

template <class T>
inline Vector<T> load(const T* p) {
  Vector<T> v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}

template <class T>
inline void store(T* p, Vector<T> v) {
  __builtin_memcpy(p, &v, sizeof v);
}

// The first n elements, where n is less than the number of lanes; the others are zero.
template <class T>
inline Vector<T> load_part(const T* p, int64_t n) {
  Vector<T> v = {};
  for (int64_t i = 0; i < n; ++i) v[i] = p[i];
  return v;
}

template <class T>
inline void store_part(T* p, Vector<T> v, int64_t n) {
  for (int64_t i = 0; i < n; ++i) p[i] = v[i];
}

#ifdef __AVX512F__
template <>
inline Vector<float> load_part(const float* p, int64_t n) {
  return (Vector<float>)_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p);
}
template <>
inline Vector<double> load_part(const double* p, int64_t n) {
  return (Vector<double>)_mm512_maskz_loadu_pd((__mmask8)((1u << n) - 1), p);
}
template <>
inline void store_part(float* p, Vector<float> v, int64_t n) {
  _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), (__m512)v);
}
template <>
inline void store_part(double* p, Vector<double> v, int64_t n) {
  _mm512_mask_storeu_pd(p, (__mmask8)((1u << n) - 1), (__m512d)v);
}
#elif defined(__AVX2__)  // whose masked stores are slow on many processors
inline __m256i first_32(int64_t n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
inline __m256i first_64(int64_t n) { return _mm256_cmpgt_epi64(_mm256_set1_epi64x(n), _mm256_setr_epi64x(0, 1, 2, 3)); }
template <>
inline Vector<float> load_part(const float* p, int64_t n) {
  return (Vector<float>)_mm256_maskload_ps(p, first_32(n));
}
template <>
inline Vector<double> load_part(const double* p, int64_t n) {
  return (Vector<double>)_mm256_maskload_pd(p, first_64(n));
}
#endif

// The first n elements, or all if there are fewer.
template <class T>
inline Vector<T> load_most(const T* p, int64_t n) {
  return n < LANES<T> ? load_part(p, n) : load(p);
}

template <class T>
inline void store_most(T* p, Vector<T> v, int64_t n) {
  n < LANES<T> ? store_part(p, v, n) : store(p, v);
}

template <class T>
inline Vector<T> all(T number) {
  return number - Vector<T>{};  // minus, because plus would turn -0 into 0
}

// A vector of elements of a, and of b: the numbers I count through those of both.
template <class T, int... I>
inline Vector<T> pick(Vector<T> a, Vector<T> b) {
#ifdef __clang__
  return __builtin_shufflevector(a, b, I...);
#else
  return __builtin_shuffle(a, b, Words<T>{I...});
#endif
}

template <int... I>
struct Places {};
template <int N, int... I>
struct Count : Count<N - 1, N - 1, I...> {};
template <int... I>
struct Count<0, I...> {
  using Up = Places<I...>;  // 0 ... N - 1
};

// The elements of a vector, joined in halves, quarters, and so on.
template <class T, class F, int HALF = LANES<T> / 2, int... I>
inline T joined(Vector<T> v, const F& join, Places<I...> places) {
  v = join(v, pick<T, (I ^ HALF)...>(v, v));
  if constexpr (HALF > 1) return joined<T, F, HALF / 2>(v, join, places);
  return v[0];
}

template <class T>
inline T sum(Vector<T> v) {
  return joined<T>(v, [](Vector<T> a, Vector<T> b) { return a + b; }, typename Count<LANES<T>>::Up());
}

// The numbers from k on.
template <class T>
inline Vector<T> places(int64_t k) {
  Vector<T> v;
  for (int64_t i = 0; i < LANES<T>; ++i) v[i] = (T)i;
  return v + (T)k;
}

// The first n elements; zeros behind them.
template <class T>
inline Vector<T> first(Vector<T> v, int64_t n) {
  return places<T>(0) < (T)n ? v : Vector<T>{};
}

// The larger of each two; b where one is nan.
template <class T>
inline Vector<T> larger(Vector<T> a, Vector<T> b) {
  return a > b ? a : b;
}

template <class T>
inline T largest(Vector<T> v) {
  return joined<T>(v, [](Vector<T> a, Vector<T> b) { return larger<T>(a, b); }, typename Count<LANES<T>>::Up());
}

// 2**n from n + `magic`. The bits are unsigned, because those of nan overflow.
template <class T>
inline Vector<T> power_of_two(Vector<T> shifted) {
  using N = Number<T>;
  return (Vector<T>)(((Words<T>)shifted + (typename N::Word)N::bias) << (typename N::Word)N::mantissa);
}

// x = n ln 2 + r with |r| <= ln(2) / 2.
template <class T>
inline Vector<T> split(Vector<T> x, Vector<T>& n) {
  using N = Number<T>;
  n = (x * (T)1.4426950408889634074 + N::magic) - N::magic;
  return (x - n * N::ln2_high) - n * N::ln2_low;
}

// exp(r) - 1 - r for |r| <= ln(2) / 2: r² (1/2 + r/6 + ...), cut where the rest is below half an ulp.
template <class T>
inline Vector<T> exp_rest(Vector<T> r) {
  constexpr double inverse_factorial[] = {1. / 2,         1. / 6,          1. / 24,          1. / 120,
                                          1. / 720,       1. / 5040,       1. / 40320,       1. / 362880,
                                          1. / 3628800,   1. / 39916800,   1. / 479001600,   1. / 6227020800};
  constexpr int last = Number<T>::terms - 3;
  Vector<T> p = all<T>((T)inverse_factorial[last]);
  MINIDL_UNROLL for (int i = last - 1; i >= 0; --i) p = p * r + (T)inverse_factorial[i];
  return r * r * p;
}

// exp(x) = 2**n exp(r). Values beyond the limits give infinity or zero as the limits do, and nan stays. The scale is
// applied in two halves, because 2**n alone may leave the range where the result does not.
template <class T>
inline Vector<T> exp(Vector<T> x) {
  using N = Number<T>;
  x = x > N::exp_most ? all<T>(N::exp_most) : x;
  x = x < N::exp_least ? all<T>(N::exp_least) : x;
  Vector<T> n, r = split<T>(x, n), p = (r + exp_rest<T>(r)) + 1;
  Vector<T> half = n * (T)0.5 + N::magic, other = (n - (half - N::magic)) + N::magic;
  return p * power_of_two<T>(half) * power_of_two<T>(other);
}

// exp(x) - 1 for x <= 0, which keeps its digits near zero: 2**n (exp(r) - 1) + (2**n - 1). From a limit on it is -1.
template <class T>
inline Vector<T> expm1_of_negative(Vector<T> x) {
  constexpr T least = -2 * Number<T>::tanh_one;
  x = x < least ? all<T>(least) : x;
  Vector<T> n, r = split<T>(x, n), scale = power_of_two<T>(n + Number<T>::magic);
  return scale * (r + exp_rest<T>(r)) + (scale - 1);
}

// tanh(x) = e / (e + 2) with e = exp(2x) - 1, which keeps its digits near zero: e = 2**n (exp(r) - 1) + (2**n - 1).
// The rounding errors of the sums are carried along in `tail` and `lost`, and the quotient is corrected by them at the
// end.
template <class T>
inline Vector<T> tanh(Vector<T> x) {
  using N = Number<T>;
  const Words<T> sign = (Words<T>)x & (Words<T>)all<T>((T)-0.0);
  Vector<T> a = (Vector<T>)((Words<T>)x ^ sign);
  a = a > N::tanh_one ? all<T>(N::tanh_one) : a;
  Vector<T> n, r = split<T>(a + a, n), rest = exp_rest<T>(r), scale = power_of_two<T>(n + N::magic);
  Vector<T> h = r + rest, high = scale * h, low = scale - 1, e = low + high;
  Vector<T> tail = scale * (rest - (h - r)) + (high - (e - low));
  Vector<T> d = e + 2, lost = e > 2 ? 2 - (d - e) : e - (d - 2), y = e / d;
  y += (tail - y * (lost + tail)) / d;
  return (Vector<T>)((Words<T>)y | sign);
}

template <class T>
inline Vector<T> square_root(Vector<T> x) {
  T part[LANES<T>];
  store(part, x);
  for (T& number : part) number = sizeof(T) == 4 ? __builtin_sqrtf(number) : __builtin_sqrt(number);
  return load(part);
}

template <class T>
inline Vector<T> absolute(Vector<T> x) {
  return x < 0 ? -x : x;
}

// The limits keep nan.
template <class T>
inline Vector<T> within(T least, Vector<T> x, T most) {
  x = x < least ? all<T>(least) : x;
  return x > most ? all<T>(most) : x;
}

// 1 / (1 + exp(-x)), with no exponential of a positive number.
template <class T>
inline Vector<T> sigmoid(Vector<T> x) {
  Vector<T> e = exp<T>(x > 0 ? -x : x);
  return (x < 0 ? e : all<T>(1)) / (1 + e);
}

// log(1 + e) for 0 <= e <= 1: 2 artanh(s) = 2 (s + s³/3 + s⁵/5 + ...) with s = e / (2 + e) <= 1/3, cut where the rest is
// below half an ulp.
template <class T>
inline Vector<T> log1p_of_part(Vector<T> e) {
  constexpr int last = sizeof(T) == 4 ? 8 : 17;
  const Vector<T> s = e / (2 + e), square = s * s;
  Vector<T> p = all<T>((T)(2. / (2 * last + 1)));
  MINIDL_UNROLL for (int i = last - 1; i > 0; --i) p = p * square + (T)(2. / (2 * i + 1));
  return s * (p * square) + (s + s);
}

// log(x) for finite x >= 1; nan stays. x = 2**n (1 + e) with 0 <= e < 1.
template <class T>
inline Vector<T> log_from_one(Vector<T> x) {
  using N = Number<T>;
  using Word = typename N::Word;
  const Words<T> bits = (Words<T>)x, fraction = bits & (((Word)1 << N::mantissa) - 1);
  const Vector<T> e = (Vector<T>)(fraction | (Words<T>)all<T>(1)) - 1;
  const Words<T> shifted = (bits >> (Word)N::mantissa) + (Words<T>)all<T>(N::magic);
  const Vector<T> n = (Vector<T>)shifted - (N::magic + (T)N::bias);
  const Vector<T> log = n * N::ln2_high + (n * N::ln2_low + log1p_of_part<T>(e));
  return x == x ? log : x;
}

// The sum of squares in double, in several sums, which the processor adds side by side.
template <class T>
double squares_of(const T* g, int64_t n) {
  constexpr int64_t sums = 4 * LANES<double>;
  double parts[sums] = {}, total = 0;
  int64_t i = 0;
  for (; i + sums <= n; i += sums) {
    for (int64_t k = 0; k < sums; ++k) parts[k] += (double)g[i + k] * (double)g[i + k];
  }
  for (; i < n; ++i) total += (double)g[i] * (double)g[i];
  for (const double part : parts) total += part;
  return total;
}

}  // namespace MINIDL_ISA
}  // namespace minidl
