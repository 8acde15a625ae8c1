// The weights of a layer, packed as the right matrices of its products.
#pragma once

#include "product.hpp"
#include "transpose.hpp"

namespace minidl {
namespace MINIDL_ISA {

// Copy LANES rows, which lie `ld` apart, to as many columns.
template <class T>
inline void copy_transposed(const T* rows, int64_t ld, int64_t cols, T* to, int64_t to_row) {
  constexpr int64_t L = LANES<T>;
  int64_t k = 0;
  for (; k + L <= cols; k += L) {
    Vector<T> square[L];
    MINIDL_UNROLL for (int64_t i = 0; i < L; ++i) square[i] = load(rows + i * ld + k);
    transpose<T>(square);
    MINIDL_UNROLL for (int64_t i = 0; i < L; ++i) store(to + (k + i) * to_row, square[i]);
  }
  for (; k < cols; ++k) {
    for (int64_t i = 0; i < L; ++i) to[k * to_row + i] = rows[i * ld + k];
  }
}

// Pack W, of shape (out, in), as the right matrix of x Wᵀ, of shape (in, out).
template <class T>
void pack_transposed(const T* w, int64_t out, int64_t in, T* to) {
  for (int64_t col = 0; col < out; col += PANEL<T>, to += in * PANEL<T>) {
    const int64_t width = out - col < PANEL<T> ? out - col : PANEL<T>, row = padded<T>(width);
    const T* from = w + col * in;
    int64_t j = 0;
    for (; j + LANES<T> <= width; j += LANES<T>) copy_transposed<T>(from + j * in, in, in, to + j, row);
    for (; j < width; ++j) {
      for (int64_t k = 0; k < in; ++k) to[k * row + j] = from[j * in + k];
    }
  }
}

// Pack W, whose rows lie `ld` apart, as the right matrix of g W, of shape (out, in).
template <class T>
void pack(const T* w, int64_t out, int64_t in, int64_t ld, T* to) {
  int64_t col = 0;
  for (; col + PANEL<T> <= in; col += PANEL<T>, to += out * PANEL<T>) copy_panel<T>(w + col, ld, out, VECTORS, to);
  const int64_t width = in - col, row = padded<T>(width);
  for (int64_t k = 0; k < out; ++k) {
    for (int64_t j = 0; j < width; ++j) to[k * row + j] = w[k * ld + col + j];
  }
}

}  // namespace MINIDL_ISA
}  // namespace minidl
