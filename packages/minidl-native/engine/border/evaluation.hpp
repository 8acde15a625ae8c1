// The loss and the hits of a data set in evaluation mode, computed in shares.
#pragma once

#include "records.hpp"

namespace minidl {

// Predictions and evaluations are divided into shares of many rows, of which a thread takes one after another. Rows that
// are left over and do not fill a block belong to the last share: a share of fewer rows than a block would lay out its
// workspace in another way, and find numbers of the share before where zeros should be.
constexpr int64_t SHARE = 8 * PREDICT_ROWS;
inline int64_t shares_of(int64_t rows) { return rows <= SHARE ? rows > 0 : (rows - PREDICT_ROWS) / SHARE + 1; }

struct Rows {
  int64_t start, count;
};

inline Rows share_of(int64_t rows, int64_t index) {
  const int64_t start = index * SHARE;
  return {start, index + 1 < shares_of(rows) ? SHARE : rows - start};
}

// Measures the samples of a pass, perhaps again and again. Any thread may compute any share: the sums of the shares are
// added in their order, so that the bits do not depend on it.
class Evaluation {
 public:
  // The network and the pass must live as long as this.
  Evaluation(const Network& network, const Pass& pass);

  // The number of shares of each replicate.
  int64_t shares() const { return shares_; }
  // The size of the memory that the shares of one thread need, zeroed before the first of them.
  size_t bytes() const { return bytes_; }
  // Compute a share, which all replicates count through: those of replicate r begin at r * shares().
  void compute(int64_t share, void* workspace);
  // The sums of a replicate, whose shares have been computed.
  void add_up(int64_t replicate, double& loss, double& hits) const;
  // Compute all shares of a replicate on the threads of a team, each of which has `bytes()` of the memory. Returns false
  // if it was asked to stop on the way.
  bool measure(int64_t replicate, const Team* team, char* memory, Stop stop);

 private:
  struct Sums {
    double loss, hits;
  };

  const Chain& chain_;
  const Kernel& kernel_;
  const Pass& pass_;
  int64_t shares_;
  size_t bytes_;
  std::vector<Sums> sums_;  // of each share
};

}  // namespace minidl
