# Links each algorithm of crypto/ alone, looks at what the linker kept, and writes a table of sizes. It fails when a
# program holds code of a source file that its algorithm does not stand on, or a symbol that it must not hold.
#
#   cmake -DENVIRONMENT=kernel|host -DOBJECTS=... -DLINKER=... -DNM=... -DFOLDER=... -DTABLE=... -P alone.cmake
#
# OBJECTS, separated by |: the object files of crypto/, of the operations (operation.hpp) and of the stand-ins. What is kept is read from
# the linker's map, which names the source file of each section.
cmake_minimum_required(VERSION 3.25)
file(MAKE_DIRECTORY ${FOLDER})
string(REPLACE "|" ";" OBJECTS "${OBJECTS}")
set(lines "")
set(problems "")

# Which files below crypto/ each part of the library stands on, as regular expressions on their names.
set(common "backend|constant_time|secret")
set(sha2 "${common}|sha2|sha2_instructions")
set(sha3 "${common}|sha3|keccak_x4|keccak_x4_avx2")

# Bytes of code and constants of crypto/ in a map, and the source files they come from.
function(read_map map bytes_result files_result)
  file(STRINGS ${map} sections REGEX "\\.cpp\\.o:\\(\\.(text|rodata|data)")
  set(bytes 0)
  set(files "")
  foreach(section ${sections})
    # "  VMA  LMA  SIZE ALIGN PATH:(SECTION)", numbers in hexadecimal.
    if(section MATCHES "DW\\.ref\\.__gxx_personality_v0|__clang_call_terminate") # of the unwinder
      continue()
    endif()
    if(NOT section MATCHES "^ *[0-9a-f]+ +[0-9a-f]+ +([0-9a-f]+) +[0-9]+ +(.*)" OR CMAKE_MATCH_1 STREQUAL "0")
      continue()
    endif()
    set(size 0x${CMAKE_MATCH_1})
    set(place "${CMAKE_MATCH_2}")
    if(place MATCHES "\\.dir/(\\./)?crypto/([a-z0-9_/]+)\\.cpp\\.o:")
      math(EXPR bytes "${bytes} + ${size}")
      list(APPEND files ${CMAKE_MATCH_2})
    elseif(place MATCHES "_ZNK?4aios6crypto") # a template of a header, in the object of the operations
      math(EXPR bytes "${bytes} + ${size}")
    endif()
  endforeach()
  list(REMOVE_DUPLICATES files)
  set(${bytes_result} ${bytes} PARENT_SCOPE)
  set(${files_result} "${files}" PARENT_SCOPE)
endfunction()

# Inline functions that the compiler put into an AVX2 object may be taken by the linker for the whole program, and then
# run where there is no AVX2. Only what is named ..._avx2, and so called behind use_avx2(), may be in there.
foreach(object ${OBJECTS})
  if(object MATCHES "_avx2\\.cpp\\.o$")
    execute_process(COMMAND ${NM} --demangle --defined-only ${object} OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
    string(REPLACE ";" "," symbols "${symbols}")
    string(REGEX MATCHALL " W [^\n]*" weak "${symbols}")
    list(FILTER weak EXCLUDE REGEX "_avx2")
    if(weak)
      string(APPEND problems "shared functions compiled with AVX2, ${object}:\n${weak}\n")
    endif()
  endif()
endforeach()

set(problems_of_objects "${problems}")

# alone(NAME FILES regex OPERATIONS function... [WITHOUT regex...])
# A program of these operations holds code of FILES only. WITHOUT: what no demangled name in it may match.
function(alone name)
  cmake_parse_arguments(arg "" "FILES" "OPERATIONS;WITHOUT" ${ARGN})
  string(MAKE_C_IDENTIFIER "${name}" id)
  set(program ${FOLDER}/${id})
  list(GET arg_OPERATIONS 0 entry)
  list(TRANSFORM arg_OPERATIONS PREPEND "--undefined=")
  # What several files hold (inline functions, tables) is taken from the first: the files that are allowed come first.
  set(own "")
  set(others "")
  foreach(object ${OBJECTS})
    if(NOT object MATCHES "\\.dir/(\\./)?crypto/([a-z0-9_/]+)\\.cpp\\.o$")
      list(PREPEND own ${object})
      continue()
    endif()
    set(file ${CMAKE_MATCH_2}) # the first match of the next condition overwrites CMAKE_MATCH_2 for the second
    if(file MATCHES "^(${arg_FILES})$" AND NOT file MATCHES "_avx2$")
      list(APPEND own ${object})
    else()
      list(APPEND others ${object})
    endif()
  endforeach()
  execute_process(COMMAND ${LINKER} -o ${program} -Map ${program}.map --gc-sections -static --build-id=none -e ${entry}
                          ${arg_OPERATIONS} ${own} ${others} RESULT_VARIABLE status ERROR_VARIABLE said)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${name} (${ENVIRONMENT}) cannot be linked alone:\n${said}")
  endif()
  read_map(${program}.map bytes files)
  if(NOT files)
    string(APPEND problems "${name} (${ENVIRONMENT}): nothing of crypto/ was linked, so nothing was checked\n")
  endif()
  foreach(file ${files})
    if(NOT file MATCHES "^(${arg_FILES})$")
      string(APPEND problems "${name} (${ENVIRONMENT}) pulls in crypto/${file}.cpp\n")
    endif()
    if(ENVIRONMENT STREQUAL "kernel" AND file MATCHES "_avx2$")
      string(APPEND problems "${name}: AVX2 code in the kernel: crypto/${file}.cpp\n")
    endif()
  endforeach()
  execute_process(COMMAND ${NM} --demangle ${program} OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
  foreach(pattern ${arg_WITHOUT})
    if(symbols MATCHES "[^\n]*${pattern}[^\n]*")
      string(APPEND problems "${name} (${ENVIRONMENT}) holds ${CMAKE_MATCH_0}\n")
    endif()
  endforeach()
  string(SUBSTRING "${ENVIRONMENT}         " 0 8 column1)
  string(SUBSTRING "${name}                                " 0 30 column2)
  set(lines "${lines}${column1} ${column2} ${bytes}\n" PARENT_SCOPE)
  set(problems "${problems}" PARENT_SCOPE)
endfunction()

# The check of the check: programs that are wrong on purpose.
alone(self_test FILES "secret" OPERATIONS sha2_256)
if(NOT problems MATCHES "pulls in crypto/sha2.cpp")
  message(FATAL_ERROR "a source file that must not be linked was not found:\n${problems}")
endif()
alone(self_test FILES "sha2" OPERATIONS sha2_256 WITHOUT "sha2_compress")
if(NOT problems MATCHES "holds [^\n]*sha2_compress")
  message(FATAL_ERROR "a symbol that must not be linked was not found:\n${problems}")
endif()
set(lines "")
set(problems "${problems_of_objects}")

include(${CMAKE_CURRENT_LIST_DIR}/algorithms.cmake)

if(problems)
  message(FATAL_ERROR "crypto/ cannot be linked in parts:\n${problems}")
endif()
file(WRITE ${TABLE} "flags    algorithm                 bytes of code and constants\n${lines}")
