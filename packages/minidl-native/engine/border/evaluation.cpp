#include "evaluation.hpp"

namespace minidl {

Evaluation::Evaluation(const Network& network, const Pass& pass)
    : chain_(network.chain),
      kernel_(network.kernel()),
      pass_(pass),
      shares_(shares_of(pass.visited)),
      bytes_(kernel_.evaluate_bytes(chain_, pass.visited)),
      sums_((size_t)(chain_.replicates * shares_)) {}

void Evaluation::compute(int64_t share, void* workspace) {
  const Rows rows = share_of(pass_.visited, share % shares_);
  Sums& own = sums_[(size_t)share];
  own = {};
  kernel_.evaluate(chain_, pass_, share / shares_, rows.start, rows.count, workspace, &own.loss, &own.hits);
}

void Evaluation::add_up(int64_t replicate, double& loss, double& hits) const {
  loss = hits = 0;
  for (int64_t i = 0; i < shares_; ++i) {
    const Sums& own = sums_[(size_t)(replicate * shares_ + i)];
    loss += own.loss;
    hits += own.hits;
  }
}

bool Evaluation::measure(int64_t replicate, const Team* team, char* memory, Stop stop) {
  const int64_t members = team ? team->count : 1;
  for (int64_t first = 0; first < shares_; first += members) {
    const auto part = [&](int64_t member) {
      if (first + member < shares_) compute(replicate * shares_ + first + member, memory + (size_t)member * bytes_);
    };
    if (team) {
      team->run(team->context, [](void* of, int64_t member) { (*(decltype(part)*)of)(member); }, (void*)&part);
    } else {
      part(0);
    }
    if (stop.ask(stop.context)) return false;
  }
  return true;
}

}  // namespace minidl
