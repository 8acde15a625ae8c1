// Random numbers as NumPy's Generator draws them from PCG64, so that a seed gives the same network as in Python.
#pragma once

#include <stdint.h>

#include "ziggurat.hpp"

namespace minidl {

// NumPy's SeedSequence: a seed of 32-bit words is hashed into a pool, and the state is hashed out of the pool.
class SeedSequence {
 public:
  SeedSequence(const uint32_t* words, int64_t count) {
    for (int64_t i = 0; i < POOL; ++i) pool_[i] = hash(i < count ? words[i] : 0);
    for (int64_t from = 0; from < POOL; ++from) {
      for (int64_t to = 0; to < POOL; ++to) {
        if (from != to) pool_[to] = mix(pool_[to], hash(pool_[from]));
      }
    }
    for (int64_t i = POOL; i < count; ++i) {
      for (uint32_t& word : pool_) word = mix(word, hash(words[i]));
    }
  }

  void generate(uint64_t* words, int64_t count) const {
    uint32_t constant = 0x8b51f9dd;
    for (int64_t i = 0; i < 2 * count; ++i) {
      uint32_t word = pool_[i % POOL] ^ constant;
      constant *= 0x58f38ded;
      word *= constant;
      word ^= word >> 16;
      words[i / 2] = i % 2 ? words[i / 2] | (uint64_t)word << 32 : word;
    }
  }

 private:
  static constexpr int64_t POOL = 4;

  uint32_t hash(uint32_t word) {
    word ^= constant_;
    constant_ *= 0x931e8875;
    word *= constant_;
    return word ^ word >> 16;
  }
  static uint32_t mix(uint32_t x, uint32_t y) {
    const uint32_t mixed = 0xca01f9dd * x - 0x4973f715 * y;
    return mixed ^ mixed >> 16;
  }

  uint32_t pool_[POOL], constant_ = 0x43b0d7e5;
};

// PCG64: a linear congruential generator of 128 bits, whose halves are folded and rotated (XSL-RR).
class PCG64 {
 public:
  explicit PCG64(const SeedSequence& seed) {
    uint64_t words[4];
    seed.generate(words, 4);
    increment_ = joined(words[2], words[3]) << 1 | 1;
    advance();
    state_ += joined(words[0], words[1]);
    advance();
  }

  uint64_t next64() {
    advance();
    const auto folded = (uint64_t)(state_ >> 64) ^ (uint64_t)state_;
    const auto turn = (unsigned)(state_ >> 122);
    return folded >> turn | folded << (-turn & 63);
  }

  // Half of a word; the upper half is kept for the next call.
  uint32_t next32() {
    has_half_ = !has_half_;
    if (!has_half_) return half_;
    const uint64_t word = next64();
    half_ = (uint32_t)(word >> 32);
    return (uint32_t)word;
  }

  double uniform() { return (double)(next64() >> 11) * 0x1p-53; }

 private:
  using Wide = unsigned __int128;
  static Wide joined(uint64_t high, uint64_t low) { return (Wide)high << 64 | low; }
  void advance() { state_ = state_ * joined(2549297995355413924u, 4865540595714422341u) + increment_; }

  Wide state_ = 0, increment_;
  uint32_t half_ = 0;
  bool has_half_ = false;
};

// A normal number beyond the edge of the ziggurat (Marsaglia, 1964).
inline double normal_tail(PCG64& generator, bool negative) {
  for (;;) {
    const double beyond = -__builtin_log1p(-generator.uniform()) / ZIGGURAT_EDGE;
    const double y = -__builtin_log1p(-generator.uniform());
    if (y + y > beyond * beyond) return negative ? -(ZIGGURAT_EDGE + beyond) : ZIGGURAT_EDGE + beyond;
  }
}

// `Generator.standard_normal`: the ziggurat of Marsaglia and Tsang (2000). A word gives layer, sign and place.
inline double standard_normal(PCG64& generator) {
  for (;;) {
    const uint64_t word = generator.next64(), place = word >> 9 & 0x000fffffffffffff;
    const auto layer = (int)(word & 0xff);
    const double size = (double)place * ZIGGURAT_WIDTH[layer], x = word >> 8 & 1 ? -size : size;
    if (place < ZIGGURAT_BOUND[layer]) return x;
    if (!layer) return normal_tail(generator, place >> 8 & 1);
    const double upper = ZIGGURAT_HEIGHT[layer - 1], lower = ZIGGURAT_HEIGHT[layer];
    if ((upper - lower) * generator.uniform() + lower < __builtin_exp(-0.5 * x * x)) return x;
  }
}

// An integer from 0 to `most`: as many bits as it has, drawn until they make a number that is not larger.
inline uint32_t interval(PCG64& generator, uint32_t most) {
  const uint32_t mask = 0xffffffffu >> __builtin_clz(most);
  for (;;) {
    const uint32_t number = generator.next32() & mask;
    if (number <= most) return number;
  }
}

// `Generator.permutation`: the numbers below n, shuffled from the end (Fisher and Yates).
inline void permutation(PCG64& generator, int32_t* order, int32_t n) {
  for (int32_t i = 0; i < n; ++i) order[i] = i;
  for (int32_t i = n - 1; i > 0; --i) {
    const auto j = (int32_t)interval(generator, (uint32_t)i);
    const int32_t kept = order[i];
    order[i] = order[j];
    order[j] = kept;
  }
}

}  // namespace minidl
