#include "network.hpp"

namespace minidl {

void check_names(const Names& names, const std::vector<std::string>& given, size_t& place,
                 std::vector<std::string>& wrong) {
  for (const char* const* name = names.at; *name; ++name, ++place) {
    if (place >= given.size() || given[place] != *name) wrong.push_back(std::string("another setting than ") + *name);
  }
}

Network::Network(const Vector& vector, const Catalogue& kinds, std::vector<std::string>& wrong) {
  chain.is_double = vector.word("dtype") == "float64";
  chain.replicated = vector.integer("replicated") != 0;
  chain.replicates = vector.integer("replicates");
  chain.size = vector.integer("size");
  read_layers(vector, kinds, wrong);
  const std::vector<int64_t>& ranges = vector.ints("ranges");
  int64_t trained = 0;
  for (size_t i = 0; i < ranges.size(); i += 4) {
    ranges_.push_back({ranges[i], ranges[i + 1], ranges[i + 2], ranges[i + 3]});
    trained += ranges[i + 1];
  }
  read_draws(vector);
  chain.count = (int64_t)layers_.size();
  chain.layers = layers_.data();
  chain.ranges = ranges_.data();
  chain.range_count = (int64_t)ranges_.size();
  chain.all_trained = trained == chain.size;
  chain.settings = vector.reals("layer_settings").data();
  chain.generators = generators_.data();
}

void Network::read_layers(const Vector& vector, const Catalogue& kinds, std::vector<std::string>& wrong) {
  const std::vector<int64_t>& places = vector.ints("places");
  size_t setting = 0;
  for (size_t i = 0; i < vector.words("layers").size(); ++i) {
    const int64_t* place = places.data() + 7 * i;  // in, out, weight, bias, trained, branch, branches
    Layer layer = {};
    layer.kind = find_kind(kinds.layers, vector.words("layers")[i], wrong);
    layer.in = place[0];
    layer.out = place[1];
    layer.weight = place[2];
    layer.bias = place[3];
    layer.first_setting = (int64_t)setting;
    layer.trained = place[4] != 0;
    layer.branch = place[5];
    layer.branches = place[6] != 0;
    check_names(kinds.layers.first[layer.kind].settings, vector.words("layer_setting_names"), setting, wrong);
    layers_.push_back(layer);
  }
}

void Network::read_draws(const Vector& vector) {
  for (size_t i = 0; i < layers_.size(); ++i) {
    for (int64_t r = 0; r < chain.replicates; ++r) {
      const auto& words = vector.ints("draws_" + std::to_string(i) + "_" + std::to_string(r));
      BitGenerator* generator = nullptr;
      if (!words.empty()) {
        drawn_.push_back({&words, 0});
        interfaces_.push_back({&drawn_.back(), nullptr, Drawn::next, nullptr, nullptr});
        generator = &interfaces_.back();
      }
      generators_.push_back(generator);
    }
  }
}

bool Network::drawn() const {
  for (const Drawn& drawn : drawn_) {
    if (!drawn.exhausted()) return false;
  }
  return true;
}

}  // namespace minidl
