#include "comparison.hpp"

#include <algorithm>
#include <cmath>

namespace minidl {

void Comparison::compare(const std::string& name, const std::vector<double>& ours, const std::vector<double>& theirs,
                         double tolerance) {
  double largest = 1e-30;
  for (const double number : theirs) {
    if (std::isfinite(number)) largest = std::max(largest, std::fabs(number));
  }
  compare_within(name, ours, theirs, tolerance * largest);
}

void Comparison::compare_within(const std::string& name, const std::vector<double>& ours,
                                const std::vector<double>& theirs, double limit) {
  double largest = ours.size() == theirs.size() ? 0 : INFINITY;
  for (size_t i = 0; i < ours.size() && i < theirs.size(); ++i) {
    const double a = ours[i], b = theirs[i];
    if (a == b || (std::isnan(a) && std::isnan(b))) continue;
    const double part = std::fabs(a - b) / limit;  // infinite for a limit of 0
    largest = std::isnan(part) ? INFINITY : std::max(largest, part);
  }
  if (largest < worst_) return;
  worst_ = largest;
  where_ = name;
}

}  // namespace minidl
