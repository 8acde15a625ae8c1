// The matrix product behind all three of a layer: x Wᵀ, g W and gᵀ x. A tile of a few rows by a few vectors of columns
// is summed in registers along the inner axis.
#pragma once

#include "vector.hpp"

namespace minidl {
namespace MINIDL_ISA {

// The size of a tile that fits in the registers: up to 4 vectors of columns with 32 registers, as AVX-512 and NEON have,
// else 2.
#if defined(__AVX512F__) || defined(__aarch64__)
constexpr int VECTORS = 4;
constexpr int most_rows(int vectors) { return vectors <= 2 ? 12 : vectors == 3 ? 8 : 6; }
#else
constexpr int VECTORS = 2;
constexpr int most_rows(int vectors) { return vectors == 1 ? 8 : 6; }
#endif
// Longer inner axes are cut, so that B's part stays in the first-level cache and sums lose fewer digits.
constexpr int64_t INNER = 128;

template <class T>
constexpr int64_t PANEL = VECTORS * LANES<T>;  // columns of a panel

template <class T>
inline int64_t padded(int64_t width) {
  return (width + LANES<T> - 1) / LANES<T> * LANES<T>;
}

// How far the rows of a block lie apart: a line of the cache more where they would all begin in a few of its sets.
template <class T>
inline int64_t stride(int64_t width) {
  constexpr int64_t line = 64 / sizeof(T), few_sets = 1024 / sizeof(T);
  const int64_t ld = padded<T>(width);
  return ld % few_sets ? ld : ld + line;
}

// A matrix that is read element by element: (i, k) lies at data[i * row + k * column].
template <class T>
struct Left {
  const T* data;
  int64_t row, column;
};

// A matrix that is read in vectors, row by row. Its panels of columns lie `panel` apart, and the rows of a panel `row`
// apart. A `row` of 0 means a packed panel, whose rows are as long as the panel is wide.
template <class T>
struct Right {
  const T* data;
  int64_t panel, row;
};

// One tile of C. Only `last` columns of its last vector belong to C, and only those are written.
template <class T, int R, int V>
inline void tile(int64_t inner, Left<T> a, const T* b, int64_t b_row, T* c, int64_t c_row, const T* start, int64_t last,
                 bool add) {
  constexpr int64_t L = LANES<T>;
  Vector<T> sums[R][V];
  MINIDL_UNROLL for (int i = 0; i < R; ++i) {
    MINIDL_UNROLL for (int j = 0; j < V; ++j) sums[i][j] = start ? load(start + j * L) : Vector<T>{};
  }
  for (int64_t k = 0; k < inner; ++k, b += b_row, a.data += a.column) {
    Vector<T> row[V];
    MINIDL_UNROLL for (int j = 0; j < V; ++j) row[j] = load(b + j * L);
    MINIDL_UNROLL for (int i = 0; i < R; ++i) {
      const T number = a.data[i * a.row];
      MINIDL_UNROLL for (int j = 0; j < V; ++j) sums[i][j] += number * row[j];
    }
  }
  MINIDL_UNROLL for (int i = 0; i < R; ++i) {
    T* to = c + i * c_row;
    MINIDL_UNROLL for (int j = 0; j < V - 1; ++j) store(to + j * L, add ? load(to + j * L) + sums[i][j] : sums[i][j]);
    T* end = to + (V - 1) * L;
    if (last == L) {
      store(end, add ? load(end) + sums[i][V - 1] : sums[i][V - 1]);
    } else {
      store_part(end, add ? load_part(end, last) + sums[i][V - 1] : sums[i][V - 1], last);
    }
  }
}

template <class T, int V, int R = most_rows(V)>
inline void tile_of(int64_t rows, int64_t inner, Left<T> a, const T* b, int64_t b_row, T* c, int64_t c_row,
                    const T* start, int64_t last, bool add) {
  if (rows == R) {
    tile<T, R, V>(inner, a, b, b_row, c, c_row, start, last, add);
  } else if constexpr (R > 1) {
    tile_of<T, V, R - 1>(rows, inner, a, b, b_row, c, c_row, start, last, add);
  }
}

// One panel. Its rows are divided evenly among tiles, because a tile of one row takes as long as one of four.
template <class T, int V = VECTORS>
void panel(int64_t vectors, int64_t rows, int64_t inner, Left<T> a, const T* b, int64_t b_row, T* c, int64_t c_row,
           const T* start, int64_t last, bool add) {
  if (vectors == V) {
    const int64_t tiles = (rows + most_rows(V) - 1) / most_rows(V);
    for (int64_t i = 0, row = 0; i < tiles; ++i) {
      const int64_t next = rows * (i + 1) / tiles;
      const Left<T> part = {a.data + row * a.row, a.row, a.column};
      tile_of<T, V>(next - row, inner, part, b, b_row, c + row * c_row, c_row, start, last, add);
      row = next;
    }
  } else if constexpr (V > 1) {
    panel<T, V - 1>(vectors, rows, inner, a, b, b_row, c, c_row, start, last, add);
  }
}

// Copy a part of a panel, so that its rows lie one behind the other. The number of vectors is known to the compiler,
// which would else make a loop of bytes of each row.
template <class T, int V = VECTORS>
inline void copy_panel(const T* b, int64_t b_row, int64_t inner, int64_t vectors, T* to) {
  if (vectors == V) {
    for (int64_t k = 0; k < inner; ++k, b += b_row, to += V * LANES<T>) {
      MINIDL_UNROLL for (int j = 0; j < V; ++j) store(to + j * LANES<T>, load(b + j * LANES<T>));
    }
  } else if constexpr (V > 1) {
    copy_panel<T, V - 1>(b, b_row, inner, vectors, to);
  }
}

// C = A B, plus `start` in every row (padded, or null). With `pad`, rows of C have room for whole vectors. A part of B
// that is not packed, and is read by several tiles, is copied first: rows far apart share few lines of the cache.
template <class T>
void product(int64_t rows, int64_t cols, int64_t inner, Left<T> a, Right<T> b, T* c, int64_t c_row, const T* start,
             bool pad) {
  alignas(64) T copied[INNER * PANEL<T>];
  for (int64_t k = 0; k < inner; k += INNER) {  // outermost, so that A's part stays in the cache
    const Left<T> part = {a.data + k * a.column, a.row, a.column};
    const int64_t length = inner - k < INNER ? inner - k : INNER;
    for (int64_t col = 0; col < cols; col += PANEL<T>) {
      const int64_t width = cols - col < PANEL<T> ? cols - col : PANEL<T>, vectors = padded<T>(width) / LANES<T>;
      const int64_t last = pad ? LANES<T> : width - (vectors - 1) * LANES<T>;
      const int64_t b_row = b.row ? b.row : vectors * LANES<T>;
      const T* near = b.data + col / PANEL<T> * b.panel + k * b_row;
      int64_t near_row = b_row;
      if (b_row != vectors * LANES<T> && rows > 2 * most_rows(VECTORS)) {
        copy_panel(near, b_row, length, vectors, copied);
        near = copied;
        near_row = vectors * LANES<T>;
      }
      panel<T>(vectors, rows, length, part, near, near_row, c + col, c_row, start && !k ? start + col : nullptr, last,
               k > 0);
    }
  }
}

// The sum of f(i) over rows i.
template <class T, class F>
inline Vector<T> sum_over(int64_t rows, const F& f) {
  Vector<T> total = {};
  for (int64_t i = 0; i < rows; i += INNER) {  // parts, whose sums lose fewer digits
    Vector<T> even = {}, odd = {};
    const int64_t stop = rows - i < INNER ? rows : i + INNER;
    int64_t k = i;
    for (; k + 1 < stop; k += 2) {
      even += f(k);
      odd += f(k + 1);
    }
    if (k < stop) even += f(k);
    total += even + odd;
  }
  return total;
}

// The sum of the rows of a padded block.
template <class T>
void sum_rows(const T* g, int64_t rows, int64_t cols, int64_t ld, T* to) {
  for (int64_t col = 0; col < cols; col += LANES<T>) {
    store_most(to + col, sum_over<T>(rows, [&](int64_t i) { return load(g + i * ld + col); }), cols - col);
  }
}

// y = x Wᵀ + b for one row, straight from the vector. For a few rows packing would be most of the work.
template <class T>
void product_of_row(const T* x, const T* w, const T* bias, int64_t out, int64_t in, T* y) {
  const int64_t whole = in / LANES<T> * LANES<T>, left = in - whole;
  for (int64_t i = 0; i < out; i += 4) {
    const int64_t rows = out - i < 4 ? out - i : 4;
    Vector<T> sums[4] = {};
    const T* row[4];
    for (int64_t j = 0; j < 4; ++j) row[j] = w + (i + (j < rows ? j : 0)) * in;
    for (int64_t k = 0; k < whole; k += LANES<T>) {
      const Vector<T> part = load(x + k);
      MINIDL_UNROLL for (int j = 0; j < 4; ++j) sums[j] += part * load(row[j] + k);
    }
    if (left) {
      const Vector<T> part = load_part(x + whole, left);
      MINIDL_UNROLL for (int j = 0; j < 4; ++j) sums[j] += part * load_part(row[j] + whole, left);
    }
    MINIDL_UNROLL for (int j = 0; j < 4; ++j) {  // known places: else the sums would lie in memory
      if (j < rows) y[i + j] = sum<T>(sums[j]) + (bias ? bias[i + j] : 0);
    }
  }
}

}  // namespace MINIDL_ISA
}  // namespace minidl
