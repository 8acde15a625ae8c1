#include "vectors.hpp"

#include <cstdlib>

namespace minidl {
namespace {

// The next word; empty at the end of the file.
std::string next_word(std::FILE* file) {
  std::string word;
  int c = std::getc(file);
  while (c == ' ' || c == '\n' || c == '\r') c = std::getc(file);
  for (; c != ' ' && c != '\n' && c != '\r' && c != EOF; c = std::getc(file)) word += (char)c;
  return word;
}

std::string rest_of_line(std::FILE* file) {
  std::string line;
  for (int c = std::getc(file); c != '\n' && c != EOF; c = std::getc(file)) line += (char)c;
  return line;
}

[[noreturn]] void refuse(const std::string& got) {
  std::fprintf(stderr, "not a file of trainings: got '%s'\n", got.c_str());
  std::exit(2);
}

template <class T, class Read>
std::vector<T> read_values(std::FILE* file, Read read) {
  std::vector<T> values((size_t)std::strtoll(next_word(file).c_str(), nullptr, 10));
  for (T& value : values) value = read(next_word(file));
  return values;
}

}  // namespace

bool Vector::read(std::FILE* file) {
  words_.clear();
  ints_.clear();
  reals_.clear();
  std::string type = next_word(file);
  if (type.empty()) return false;
  if (type != "training") refuse(type);
  title_ = rest_of_line(file);
  while ((type = next_word(file)) != "end") {
    const std::string name = next_word(file);
    if (type == "words") {
      words_[name] = read_values<std::string>(file, [](const std::string& word) { return word; });
    } else if (type == "ints") {
      ints_[name] = read_values<int64_t>(
          file, [](const std::string& word) { return (int64_t)std::strtoll(word.c_str(), nullptr, 10); });
    } else if (type == "reals") {
      reals_[name] =
          read_values<double>(file, [](const std::string& word) { return std::strtod(word.c_str(), nullptr); });
    } else {
      refuse(type);
    }
  }
  return true;
}

}  // namespace minidl
