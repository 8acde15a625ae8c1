// Memory without a C library, which would take longer to compile than all else: blocks of powers of two, in lists.
#pragma once

#include <stddef.h>
#include <stdint.h>

extern "C" unsigned char __heap_base;

namespace minidl {

constexpr size_t LINE = 64;  // blocks are aligned to it, and their first line tells their class
constexpr size_t PAGE = 65536;

struct FreeBlock {
  size_t order;  // log2 of the size
  FreeBlock* next;
};

// A new block behind all others. Without memory the kernels cannot go on: JavaScript gets an error.
inline FreeBlock* new_block(size_t order) {
  static uintptr_t end = ((uintptr_t)&__heap_base + LINE - 1) / LINE * LINE;
  const uintptr_t start = end;
  end += (size_t)1 << order;
  const size_t have = __builtin_wasm_memory_size(0) * PAGE;
  if (end > have && __builtin_wasm_memory_grow(0, (end - have + PAGE - 1) / PAGE) == SIZE_MAX) __builtin_trap();
  return (FreeBlock*)start;
}

inline FreeBlock** list_of(size_t order) {
  static FreeBlock* lists[32] = {};
  return lists + order;
}

// Zeroed memory.
inline void* take(size_t bytes) {
  if (bytes > SIZE_MAX / 4) __builtin_trap();
  const auto order = (size_t)(32 - __builtin_clz((unsigned)(bytes + LINE - 1)));
  FreeBlock*& list = *list_of(order);
  FreeBlock* block = list;
  if (block) {
    list = block->next;
  } else {
    block = new_block(order);
  }
  block->order = order;
  return __builtin_memset((char*)block + LINE, 0, bytes);
}

template <class T>
T* take_array(int64_t count) {
  return (T*)take((size_t)count * sizeof(T));
}

inline void give_back(void* memory) {
  auto* block = (FreeBlock*)((char*)memory - LINE);
  FreeBlock*& list = *list_of(block->order);
  block->next = list;
  list = block;
}

}  // namespace minidl
