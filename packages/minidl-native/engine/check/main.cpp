// kernel_check FILE: repeats the trainings of a file with each instruction set that the processor has, and says how far
// each is from NumPy. Without FILE they are read from the standard input, once, by the last instruction set alone.
#include "../isas.hpp"
#include "training.hpp"

namespace minidl {
namespace {

struct Counts {
  int64_t passed = 0, failed = 0;
};

void report(const Isa& isa, const Vector& vector, Counts& counts) {
  std::vector<std::string> wrong;
  const Kernel& kernel = isa.kernels[vector.word("dtype") == "float64"];
  const Comparison comparison = repeat(vector, kernel, baseline::catalogue, wrong);
  const bool passed = wrong.empty() && comparison.passed();
  ++(passed ? counts.passed : counts.failed);
  std::printf("%s  %s: %s is %.2g of the limit away\n", passed ? "passed" : "FAILED", vector.title().c_str(),
              comparison.where().c_str(), comparison.worst());
  for (const std::string& message : wrong) std::printf("        %s\n", message.c_str());
}

// Repeat all trainings with one instruction set; false if any fails, or if there are none.
bool run(const Isa& isa, std::FILE* file) {
  Vector vector;
  Counts counts;
  std::printf("%s\n", isa.name);
  while (vector.read(file)) report(isa, vector, counts);
  std::printf("%s: %lld passed, %lld failed\n", isa.name, (long long)counts.passed, (long long)counts.failed);
  return counts.passed && !counts.failed;
}

}  // namespace
}  // namespace minidl

int main(int count, char** arguments) {
  using namespace minidl;
  bool good = true;
  for (const Isa& isa : ISAS) {
    if (!isa.available()) {
      std::printf("%s: skipped, this processor does not have it\n", isa.name);
      continue;
    }
    std::FILE* file = count > 1 ? std::fopen(arguments[1], "r") : stdin;
    if (!file) {
      std::fprintf(stderr, "cannot read %s\n", arguments[1]);
      return 2;
    }
    good &= run(isa, file);
    if (file == stdin) break;
    std::fclose(file);
  }
  return good ? 0 : 1;
}
