// Lists of kinds, and the one dispatcher that turns a kind's number into its struct.
#pragma once

#include "../interface.hpp"
#include "vector.hpp"

namespace minidl {
namespace MINIDL_ISA {

template <class... Kinds>
struct List {};

// Call f with the kind of this number. The compiler sees every call with its own type, and can inline all of them.
template <class First, class... Rest, class F>
inline auto visit(List<First, Rest...>, int64_t kind, const F& f) {
  if constexpr (sizeof...(Rest) > 0) {
    if (kind != 0) return visit(List<Rest...>(), kind - 1, f);
  }
  return f(First());
}

constexpr int64_t count_of(const Names& names) {
  int64_t count = 0;
  while (names.at[count]) ++count;
  return count;
}

// The settings of one replicate: a column of a table that has a row for each setting.
struct Column {
  const double* first;
  int64_t step;

  double operator[](int64_t row) const { return first[row * step]; }
};

// The settings of one replicate in the dtype of the network.
template <class T>
struct Numbers {
  T at[MOST_NAMES];

  T operator[](int64_t i) const { return at[i]; }
};

template <class T, class Kind>
inline Numbers<T> numbers_of(Kind, Column column) {
  constexpr int64_t count = count_of(Kind::settings);
  Numbers<T> numbers = {};
  for (int64_t i = 0; i < count; ++i) numbers.at[i] = (T)column[i];
  return numbers;
}

}  // namespace MINIDL_ISA
}  // namespace minidl
