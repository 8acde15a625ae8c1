// The loss of a batch, its gradient, and the samples whose class is predicted right, in one pass over the predictions
// where a loss computes several rows at once.
#pragma once

#include "losses.hpp"

namespace minidl {
namespace MINIDL_ISA {

// A batch: `f`, the prediction, in rows that lie `ld` apart, and the targets and weights that `index` picks.
template <class T>
struct Batch {
  int64_t rows, cols, ld, target_cols;
  const T* f;
  const void* y;
  const double* weights;  // null: each sample counts once
  bool classes;
  const int64_t* index;

  const T* target(int64_t row) const { return (const T*)y + index[row] * target_cols; }
  // In bounds even if somebody changes the targets after they were checked.
  int64_t label(int64_t row) const {
    const int64_t label = ((const volatile int64_t*)y)[index[row]];
    return label >= 0 && label < cols ? label : 0;
  }
  double weight(int64_t row) const { return weights ? weights[index[row]] : 1; }
  double mass() const {
    if (!weights) return (double)rows;
    double sum = 0;
    for (int64_t i = 0; i < rows; ++i) sum += weight(i);
    return sum;
  }
  Row<T> row(int64_t i) const { return {f + i * ld, classes ? nullptr : target(i), classes ? label(i) : -1, cols, ld}; }
};

// From where on the target of a single column is class 1. With an infinite threshold it is the only class, of targets as
// of predictions.
template <class T>
inline T least_of_target(T threshold) {
  return threshold > (T)1e30 ? threshold : (T)0.5;
}

// The class that a row names, as minidl reads it; nan counts as the largest, as in NumPy.
template <class T>
int64_t class_of(const T* row, int64_t cols, T threshold) {
  if (cols == 1) return row[0] > threshold;
  if (cols == 2) return row[1] > row[0];
  int64_t best = 0;
  for (int64_t j = 1; j < cols && row[best] == row[best]; ++j) {
    if (row[j] > row[best] || row[j] != row[j]) best = j;
  }
  return best;
}

// Whether class_of is a label. It counts what speaks against that, without a branch that random rows would mispredict.
template <class T>
bool is_hit(const T* row, int64_t cols, int64_t label, T threshold) {
  const T own = row[label < cols ? label : 0];
  if (cols < 3 || own != own) return class_of<T>(row, cols, threshold) == label;
  int against = 0;
  for (int64_t j = 0; j < label; ++j) against += !(row[j] < own);
  for (int64_t j = label + 1; j < cols; ++j) against += !(row[j] <= own);
  return !against;
}

template <class T>
double count_hits(const Batch<T>& batch, T threshold) {
  double hits = 0;
  const T least = least_of_target(threshold);
  for (int64_t i = 0; i < batch.rows; ++i) {
    const int64_t label = batch.classes ? batch.label(i) : class_of<T>(batch.target(i), batch.cols, least);
    if (is_hit<T>(batch.f + i * batch.ld, batch.cols, label, threshold)) hits += batch.weight(i);
  }
  return hits;
}

// What a batch adds up to: its loss, rounded to the dtype, in which it may be infinite, what its sum was divided by, and
// the weights of all samples and of those whose class is predicted right.
template <class T>
struct Score {
  T loss;
  double divisor, mass, hits;
};

// The same for rows that are turned, none of whose numbers is nan: 1 for each whose class is that of the target, else 0.
template <class T>
inline Vector<T> hits_of(const Columns<T>& f, int64_t cols, Vector<T> target, T threshold) {
  const Vector<T> one = all<T>(1), zero = {};
  if (cols == 1) return (f[0] > threshold) == (target > least_of_target(threshold)) ? one : zero;
  Vector<T> most = f[0], best = zero;
  for (int64_t j = 1; j < cols; ++j) {
    best = f[j] > most ? all<T>((T)j) : best;  // the first of equals
    most = larger<T>(f[j], most);
  }
  return best == target ? one : zero;
}

// Add up some rows, up to LANES, that are turned.
template <class Kind, class T>
inline void add_turned(const Batch<T>& batch, int64_t start, const Numbers<T>& settings, double count, T threshold, T* g,
                       double& total, double& hits) {
  constexpr int64_t L = LANES<T>;
  const int64_t rows = batch.rows - start < L ? batch.rows - start : L;
  const T plain = (T)(1 / count);
  T target[L], scale[L], sums[L], right[L];
  for (int64_t i = 0; i < L; ++i) {
    const int64_t row = start + (i < rows ? i : rows - 1);
    target[i] = batch.classes ? (T)batch.label(row) : *batch.target(row);
    scale[i] = batch.weights ? (T)(batch.weight(row) / count) : plain;
  }
  Columns<T> columns;
  read_columns<T>(batch.f + start * batch.ld, rows, batch.cols, batch.ld, columns);
  store(right, hits_of<T>(columns, batch.cols, load(target), threshold));
  store(sums, Kind::template turned<T>({batch.cols, load(target), load(scale)}, settings, columns));
  write_columns<T>(columns, rows, batch.cols, batch.ld, g + start * batch.ld);
  for (int64_t i = 0; i < rows; ++i) {
    total += batch.weight(start + i) * sums[i];
    hits += batch.weight(start + i) * right[i];
  }
}

// Score a batch; g gets the gradient of the loss, in rows that lie as those of the prediction. A mean is divided by the
// sum of the weights; where all are zero, so is the mean.
template <class T>
Score<T> score(const Pass& pass, Column settings, const Batch<T>& batch, T* g) {
  return visit(Losses(), pass.loss, [&](auto kind) {
    const Numbers<T> numbers = numbers_of<T>(kind, settings);
    const int64_t terms = kind.mean_over_rows || pass.per_sample ? 1 : kind.outputs == 2 ? batch.target_cols : batch.cols;
    const double mass = batch.mass();
    const double count = !pass.mean ? 1 : mass > 0 ? mass * (double)terms : __builtin_inf();
    const bool turns = kind.template turns<T>(batch.cols, batch.classes, numbers);
    const T threshold = (T)pass.threshold;
    double total = 0, hits = 0;
    for (int64_t i = 0; turns && i < batch.rows; i += LANES<T>) {
      add_turned<decltype(kind), T>(batch, i, numbers, count, threshold, g, total, hits);
    }
    for (int64_t i = 0; !turns && i < batch.rows; ++i) {
      const double weight = batch.weight(i);
      total += weight * kind.template sum<T>(batch.row(i), numbers, (T)(weight / count), g + i * batch.ld);
    }
    // Rows with nan, which the loss tells of, are counted by the rule for nan.
    if (pass.counted && (!turns || total != total)) hits = count_hits<T>(batch, threshold);
    return Score<T>{(T)(total / count), count, mass, pass.counted ? hits : 0};
  });
}

}  // namespace MINIDL_ISA
}  // namespace minidl
