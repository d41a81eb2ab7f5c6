# Compiler flags of the environments, and the functions that make libraries and programs for them.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS ON) # TRY is a statement expression
set(CMAKE_CXX_SCAN_FOR_MODULES OFF)
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g -DNDEBUG")
set(CMAKE_C_FLAGS_DEBUG "-O1 -g")
set(CMAKE_C_FLAGS_RELEASE "-O2 -g -DNDEBUG")

set(CMAKE_C_COMPILER_LAUNCHER ${CMAKE_SOURCE_DIR}/cmake/compiler-launcher)
set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_SOURCE_DIR}/cmake/compiler-launcher)

# Paths in objects are relative to the root of the source, so that a build does not depend on where it lies.
set(common -Wall -Wextra -Werror -Wshadow -Wnon-virtual-dtor -Wimplicit-fallthrough -Wno-gnu-statement-expression
    -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)
set(lean $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions> $<$<COMPILE_LANGUAGE:CXX>:-fno-rtti>)

add_library(aios_flags_common INTERFACE)
target_include_directories(aios_flags_common INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(aios_flags_common INTERFACE ${common})
if(CMAKE_BUILD_TYPE STREQUAL "Debug")
  target_compile_definitions(aios_flags_common INTERFACE AIOS_DEBUG=1)
endif()

add_library(aios_flags_kernel INTERFACE)
target_link_libraries(aios_flags_kernel INTERFACE aios_flags_common)
target_compile_options(aios_flags_kernel INTERFACE
    --target=x86_64-linux-gnu ${lean} -ffreestanding -nostdlib -fPIE -fvisibility=hidden -mno-sse -mno-mmx -mno-avx
    -mno-red-zone -fdirect-access-external-data -fno-omit-frame-pointer -fno-asynchronous-unwind-tables -fno-threadsafe-statics
    $<$<COMPILE_LANGUAGE:CXX>:-fno-c++-static-destructors> -fstack-protector-strong -mstack-protector-guard=global
    $<$<COMPILE_LANGUAGE:CXX>:-stdlib=libc++> -Wthread-safety)
target_compile_definitions(aios_flags_kernel INTERFACE AIOS_KERNEL=1 _LIBCPP_HAS_NO_THREADS)

add_library(aios_flags_mini INTERFACE)
target_link_libraries(aios_flags_mini INTERFACE aios_flags_common)
target_compile_options(aios_flags_mini INTERFACE
    ${lean} -ffreestanding -fPIE -fno-asynchronous-unwind-tables -fno-stack-protector -fno-threadsafe-statics
    $<$<COMPILE_LANGUAGE:CXX>:-stdlib=libc++>)
target_compile_definitions(aios_flags_mini INTERFACE AIOS_MINI=1)
target_link_options(aios_flags_mini INTERFACE -nostdlib -static-pie -fuse-ld=lld -Wl,-z,separate-code -Wl,--gc-sections
    -Wl,--build-id=none)

add_library(aios_flags_user INTERFACE)
target_link_libraries(aios_flags_user INTERFACE aios_flags_common)
target_compile_options(aios_flags_user INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-stdlib=libc++> -ffunction-sections
    -fdata-sections)
target_compile_definitions(aios_flags_user INTERFACE AIOS_USER=1)
target_link_options(aios_flags_user INTERFACE -stdlib=libc++ -static -fuse-ld=lld -Wl,--gc-sections
    -Wl,-z,separate-code -Wl,--build-id=none -Wl,--strip-debug)

add_library(aios_flags_host INTERFACE)
target_link_libraries(aios_flags_host INTERFACE aios_flags_common)
target_compile_options(aios_flags_host INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-stdlib=libc++>)
target_compile_definitions(aios_flags_host INTERFACE AIOS_HOST=1)
target_link_options(aios_flags_host INTERFACE -stdlib=libc++ -fuse-ld=lld)

# The same for a shared object that shows nothing of itself.
add_library(aios_flags_addon INTERFACE)
target_link_libraries(aios_flags_addon INTERFACE aios_flags_host)
target_compile_options(aios_flags_addon INTERFACE -fPIC -fvisibility=hidden
    $<$<COMPILE_LANGUAGE:CXX>:-fvisibility-inlines-hidden>)

add_library(aios_flags_test INTERFACE)
target_link_libraries(aios_flags_test INTERFACE aios_flags_host)
target_compile_options(aios_flags_test INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=all
    -fno-omit-frame-pointer)
target_link_options(aios_flags_test INTERFACE -fsanitize=address,undefined)

# The same with coverage for libFuzzer, for what fuzz targets link.
add_library(aios_flags_fuzz INTERFACE)
target_link_libraries(aios_flags_fuzz INTERFACE aios_flags_test)
target_compile_options(aios_flags_fuzz INTERFACE -fsanitize=fuzzer-no-link)

# The headers of the C++ standard library, read once for each environment that has one, for code that is optimised in debug builds
# and for code that is not. A file still includes what it uses.
set(headers <algorithm> <array> <atomic> <chrono> <deque> <expected> <filesystem> <format> <functional> <map> <memory> <mutex>
    <optional> <ranges> <set> <span> <string> <string_view> <thread> <unordered_map> <utility> <variant> <vector>)
set(unoptimised $<$<CONFIG:Debug>:-O0>)
foreach(env user host test fuzz)
  foreach(level "" .unoptimised)
    add_library(standard_headers.${env}${level} OBJECT EXCLUDE_FROM_ALL ${CMAKE_SOURCE_DIR}/cmake/standard_headers.cpp)
    target_link_libraries(standard_headers.${env}${level} PRIVATE aios_flags_${env})
    target_compile_options(standard_headers.${env}${level} PRIVATE -Xclang -fno-pch-timestamp)
    target_precompile_headers(standard_headers.${env}${level} PRIVATE ${headers})
  endforeach()
  target_compile_options(standard_headers.${env}.unoptimised PRIVATE ${unoptimised})
endforeach()

# aios_library(NAME ENVIRONMENTS ... [DEPENDS ...] [SOURCES ...] [STANDARD_HEADERS] [UNOPTIMISED])
# A static library NAME.ENV for each environment, from SOURCES or else from all *.cpp below the folder NAME. A file whose name
# ends in _kernel, _mini, _user or _host belongs to that environment alone (host files serve test, fuzz, addon and user too).
# A library is built for an environment when something of that environment links it, not by `all`. STANDARD_HEADERS: most of its
# files use the C++ standard library, and its headers are precompiled for them. UNOPTIMISED: nothing in it is worth the compiler's
# time in a debug build.
function(aios_library name)
  cmake_parse_arguments(arg "STANDARD_HEADERS;UNOPTIMISED" "" "ENVIRONMENTS;DEPENDS;SOURCES" ${ARGN})
  if(NOT arg_SOURCES)
    file(GLOB_RECURSE arg_SOURCES CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cpp)
  endif()
  foreach(env ${arg_ENVIRONMENTS})
    set(sources ${arg_SOURCES})
    list(FILTER sources EXCLUDE REGEX "_(kernel|mini|user|host)\\.cpp$")
    set(own ${arg_SOURCES})
    if(env MATCHES "user|host|test|fuzz|addon")
      list(FILTER own INCLUDE REGEX "_(host|${env})\\.cpp$")
    else()
      list(FILTER own INCLUDE REGEX "_${env}\\.cpp$")
    endif()
    if(sources OR own)
      add_library(${name}.${env} STATIC EXCLUDE_FROM_ALL ${sources} ${own})
      target_link_libraries(${name}.${env} PUBLIC aios_flags_${env})
      set(level "")
      if(arg_UNOPTIMISED)
        set(level .unoptimised)
        target_compile_options(${name}.${env} PRIVATE ${unoptimised})
      endif()
      if(arg_STANDARD_HEADERS AND TARGET standard_headers.${env})
        target_compile_options(${name}.${env} PRIVATE -Xclang -fno-pch-timestamp)
        target_precompile_headers(${name}.${env} REUSE_FROM standard_headers.${env}${level})
      endif()
    else()
      add_library(${name}.${env} INTERFACE)
      target_link_libraries(${name}.${env} INTERFACE aios_flags_${env})
    endif()
    foreach(dependency ${arg_DEPENDS})
      if(sources OR own)
        target_link_libraries(${name}.${env} PUBLIC ${dependency}.${env})
      else()
        target_link_libraries(${name}.${env} INTERFACE ${dependency}.${env})
      endif()
    endforeach()
  endforeach()
endfunction()
