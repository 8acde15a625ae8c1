// The facts of all kinds as data, for the border. The compiler computes them from the lists.
#pragma once

#include "layers.hpp"
#include "losses.hpp"
#include "optimizers.hpp"

namespace minidl {
namespace MINIDL_ISA {

template <class Kind>
constexpr LayerFacts LAYER = {Kind::name,        Kind::settings,      Kind::words,       Kind::has_weights,
                              Kind::per_feature, Kind::draws,         Kind::adds_branch, Kind::statistics,
                              Kind::least_batch, Kind::is_activation, Kind::gives_probabilities};
template <class Kind>
constexpr LossFacts LOSS = {Kind::name, Kind::settings, Kind::takes_classes, Kind::needs_probabilities, Kind::outputs};
template <class Kind>
constexpr OptimizerFacts OPTIMIZER = {
    Kind::name, with_common(Kind::settings), Kind::vectors,
    Kind::required < count_of(Kind::vectors) ? Kind::required : count_of(Kind::vectors), Kind::one_pass};

template <class... Kinds>
constexpr LayerFacts LAYERS[] = {LAYER<Kinds>...};
template <class... Kinds>
constexpr LossFacts LOSSES[] = {LOSS<Kinds>...};
template <class... Kinds>
constexpr OptimizerFacts OPTIMIZERS[] = {OPTIMIZER<Kinds>...};

template <class... Kinds>
constexpr Table<LayerFacts> layer_table(List<Kinds...>) {
  static_assert((... && (count_of(Kinds::statistics) <= MOST_STATISTICS)), "a layer has too many statistics");
  return {LAYERS<Kinds...>, sizeof...(Kinds)};
}
template <class... Kinds>
constexpr Table<LossFacts> loss_table(List<Kinds...>) {
  return {LOSSES<Kinds...>, sizeof...(Kinds)};
}
template <class... Kinds>
constexpr Table<OptimizerFacts> optimizer_table(List<Kinds...>) {
  static_assert((... && (count_of(Kinds::vectors) <= MOST_VECTORS)), "an optimizer has too many vectors");
  static_assert((... && (count_of(Kinds::settings) + count_of(COMMON) <= MOST_NAMES)),
                "an optimizer has too many settings");
  return {OPTIMIZERS<Kinds...>, sizeof...(Kinds)};
}

}  // namespace MINIDL_ISA
}  // namespace minidl
