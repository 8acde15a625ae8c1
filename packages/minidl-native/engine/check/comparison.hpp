// Compares arrays with those of NumPy.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace minidl {

class Comparison {
 public:
  // The largest difference, as a part of the limit, which is `tolerance` of the largest of their numbers; infinite where
  // one side is nan or of another length. The worst of all comparisons is kept.
  void compare(const std::string& name, const std::vector<double>& ours, const std::vector<double>& theirs,
               double tolerance);
  // The largest difference, as a part of a limit that is a number.
  void compare_within(const std::string& name, const std::vector<double>& ours, const std::vector<double>& theirs,
                      double limit);

  bool passed() const { return worst_ <= 1; }
  double worst() const { return worst_; }
  const std::string& where() const { return where_; }

 private:
  double worst_ = 0;
  std::string where_ = "nothing";
};

}  // namespace minidl
