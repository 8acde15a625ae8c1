// The network of a training, as the kernels take it.
#pragma once

#include "../interface.hpp"
#include "vectors.hpp"

#include <deque>

namespace minidl {

// Words that a generator gives in order, instead of drawing them.
struct Drawn {
  const std::vector<int64_t>* words;
  size_t used;

  static uint32_t next(void* state) {
    auto* drawn = (Drawn*)state;
    return drawn->used < drawn->words->size() ? (uint32_t)(*drawn->words)[drawn->used++] : (drawn->used++, 0);
  }
  bool exhausted() const { return used == words->size(); }
};

// A Chain, and what it points to.
class Network {
 public:
  // The vector must live as long as this object. `wrong` gets a message for each name that the kernels lack.
  Network(const Vector& vector, const Catalogue& kinds, std::vector<std::string>& wrong);
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  // Whether exactly the words of the file were drawn.
  bool drawn() const;
  int64_t in() const { return layers_.front().in; }
  int64_t out() const { return layers_.back().out; }

  Chain chain = {};

 private:
  void read_layers(const Vector& vector, const Catalogue& kinds, std::vector<std::string>& wrong);
  void read_draws(const Vector& vector);

  std::vector<Layer> layers_;
  std::vector<Range> ranges_;
  std::deque<Drawn> drawn_;
  std::deque<BitGenerator> interfaces_;
  std::vector<BitGenerator*> generators_;
};

// The number of the kind of this name, 0 with a message in `wrong` if there is none.
template <class Facts>
int64_t find_kind(Table<Facts> table, const std::string& name, std::vector<std::string>& wrong) {
  for (int64_t kind = 0; kind < table.count; ++kind) {
    if (name == table.first[kind].name) return kind;
  }
  wrong.push_back("the kernels have no " + name);
  return 0;
}

// Compare the names of settings with those of the kernels, in order.
void check_names(const Names& names, const std::vector<std::string>& given, size_t& place,
                 std::vector<std::string>& wrong);

}  // namespace minidl
