# A CMake toolchain: the compiler of the package ziglang, which has the headers and libraries of all its targets.
# MINIDL_ZIG is its program, MINIDL_TARGET a target such as aarch64-linux-gnu.2.28.
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES MINIDL_ZIG MINIDL_TARGET)

set(CMAKE_SYSTEM_NAME Generic)
foreach(pair "linux=Linux" "macos=Darwin" "windows=Windows" "wasi=WASI")
  string(REPLACE "=" ";" pair ${pair})
  list(GET pair 0 word)
  if(MINIDL_TARGET MATCHES "-${word}")
    list(GET pair 1 CMAKE_SYSTEM_NAME)
  endif()
endforeach()
string(REGEX MATCH "^[^-]+" CMAKE_SYSTEM_PROCESSOR ${MINIDL_TARGET})

set(CMAKE_CXX_COMPILER ${MINIDL_ZIG} c++ -target ${MINIDL_TARGET})
set(CMAKE_AR ${MINIDL_ZIG} CACHE FILEPATH "")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
if(CMAKE_SYSTEM_NAME STREQUAL "WASI")
  set(CMAKE_EXECUTABLE_SUFFIX ".wasm")
endif()
