// A training of the file, repeated by a kernel.
#pragma once

#include "comparison.hpp"
#include "network.hpp"

namespace minidl {

// Train, predict and make a step as the vector says, and compare all that comes out. `wrong` gets a message for whatever
// the kernels do not have or do otherwise.
Comparison repeat(const Vector& vector, const Kernel& kernel, const Catalogue& kinds, std::vector<std::string>& wrong);

}  // namespace minidl
