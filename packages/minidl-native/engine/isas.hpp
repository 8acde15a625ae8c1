// The instruction sets that are compiled in, and which of them the processor has.
#pragma once

#include "interface.hpp"

namespace minidl {

namespace baseline {
extern const Kernel kernels[2];
extern const Catalogue catalogue;
}  // namespace baseline
#ifdef MINIDL_X86
namespace avx2 {
extern const Kernel kernels[2];
}
namespace avx512 {
extern const Kernel kernels[2];
}
#endif

// An instruction set: its kernels for float32 and float64.
struct Isa {
  const char* name;
  bool (*available)();
  const Kernel* kernels;
};

// The plainest first.
const Isa ISAS[] = {
    {"baseline", [] { return true; }, baseline::kernels},
#ifdef MINIDL_X86
    {"avx2", [] { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }, avx2::kernels},
    {"avx512",
     [] {
       return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
              __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
              __builtin_cpu_supports("fma");
     },
     avx512::kernels},
#endif
};

}  // namespace minidl
