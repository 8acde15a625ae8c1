// The trainings that checks/kernels/vectors.py writes, read from its file.
#pragma once

#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

namespace minidl {

// A training: its entries by name. One that is missing is empty.
class Vector {
 public:
  // Read the next training; false at the end of the file. A file of another form ends the program.
  bool read(std::FILE* file);

  const std::string& title() const { return title_; }
  const std::vector<std::string>& words(const std::string& name) const { return words_[name]; }
  const std::vector<int64_t>& ints(const std::string& name) const { return ints_[name]; }
  const std::vector<double>& reals(const std::string& name) const { return reals_[name]; }
  // A single value, which must be there.
  const std::string& word(const char* name) const { return words_[name].at(0); }
  int64_t integer(const char* name) const { return ints_[name].at(0); }
  double real(const char* name) const { return reals_[name].at(0); }

 private:
  std::string title_;
  mutable std::map<std::string, std::vector<std::string>> words_;
  mutable std::map<std::string, std::vector<int64_t>> ints_;
  mutable std::map<std::string, std::vector<double>> reals_;
};

}  // namespace minidl
