// A square of vectors, transposed, and rows of few columns that are turned so that each is a lane.
#pragma once

#include "vector.hpp"

namespace minidl {
namespace MINIDL_ISA {

// Exchange a's elements at places with the bit HALF for b's without it.
template <class T, int HALF, int... I>
inline void exchange(Vector<T>& a, Vector<T>& b, Places<I...>) {
  constexpr int L = LANES<T>;
  const Vector<T> first = a, second = b;
  a = pick<T, (I & HALF ? L + I - HALF : I)...>(first, second);
  b = pick<T, (I & HALF ? L + I : I + HALF)...>(first, second);
}

// Transpose a square of LANES vectors: its quarters, then the quarters of these, and so on.
template <class T, int HALF = LANES<T> / 2>
inline void transpose(Vector<T>* square) {
  MINIDL_UNROLL for (int i = 0; i < LANES<T>; ++i) {
    if (!(i & HALF)) exchange<T, HALF>(square[i], square[i + HALF], typename Count<LANES<T>>::Up());
  }
  if constexpr (HALF > 1) transpose<T, HALF / 2>(square);
}

// Rows of few columns, turned: each row is a lane, so that one operation on a column is one on all rows.
constexpr int64_t FEW_COLUMNS = 32;
template <class T>
using Columns = Vector<T>[FEW_COLUMNS];

// Turn up to LANES rows of a padded block, of which the last one stands for those that are missing.
template <class T>
inline void read_columns(const T* rows, int64_t count, int64_t cols, int64_t ld, Columns<T>& columns) {
  if (cols == 1) {
    T only[LANES<T>];
    for (int64_t i = 0; i < LANES<T>; ++i) only[i] = rows[(i < count ? i : count - 1) * ld];
    columns[0] = load(only);
    return;
  }
  for (int64_t j = 0; j < ld; j += LANES<T>) {
    for (int64_t i = 0; i < LANES<T>; ++i) columns[j + i] = load(rows + (i < count ? i : count - 1) * ld + j);
    transpose<T>(columns + j);
  }
}

// Turn columns back into rows of a padded block, whose pads may become anything.
template <class T>
inline void write_columns(Columns<T>& columns, int64_t count, int64_t cols, int64_t ld, T* rows) {
  if (cols == 1) {
    T only[LANES<T>];
    store(only, columns[0]);
    for (int64_t i = 0; i < count; ++i) rows[i * ld] = only[i];
    return;
  }
  for (int64_t j = 0; j < ld; j += LANES<T>) {
    transpose<T>(columns + j);
    for (int64_t i = 0; i < count; ++i) store(rows + i * ld + j, columns[j + i]);
  }
}

}  // namespace MINIDL_ISA
}  // namespace minidl
