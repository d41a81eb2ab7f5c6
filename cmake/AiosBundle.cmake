# Bundles: which built programs and files go into which boot bundle. A bundle NAME becomes build/<preset>/bundle/NAME.list, one
# entry a line: path in the bundle, tab, mark, tab, file on this machine. A mark is KIND[,MODE[,NANOSECONDS]]: "x" or "-" for a file,
# executable or not; "d", a directory; "l", a link, whose target stands in the place of the file; "n", a further name of the file
# whose path in the bundle stands there. The mode is octal, the time since 1970. The host program packs it.
# The bundle of `./aios run` is "boot", that of `./aios run-linux` "runner"; "guest", "linux" and "hostile" hold the test programs of
# those levels, "bench" what `./aios bench kernel` measures.
#
#   aios_bundle_program(TARGET PATH [BUNDLE name...])   TARGET is a CMake target, PATH for instance bin/initd
#   aios_bundle_file(FILE PATH [BUNDLE name...] [EXECUTABLE])  FILE is absolute or relative to the calling folder
#   aios_bundle_node(PATH MARK REST [BUNDLE name...])    a line with any mark; REST is what stands in the place of the file
#   aios_bundle_first(BUNDLE PATH)                      the program that the kernel starts (default bin/initd)
#   aios_system_target(TARGET)                          built by `./aios build` though it is in no bundle
# Call aios_bundles_finish() once, after all folders.
add_custom_target(aios-system)
add_custom_target(aios-test-programs) # the programs of the other bundles
set_property(GLOBAL PROPERTY AIOS_BUNDLE_NAMES "boot;runner;guest;linux;hostile;bench")

function(aios_bundle_entry_ path mark file bundles)
  get_property(names GLOBAL PROPERTY AIOS_BUNDLE_NAMES)
  foreach(bundle ${bundles})
    if(NOT bundle IN_LIST names)
      message(FATAL_ERROR "aios_bundle: there is no bundle '${bundle}'; known are ${names}")
    endif()
    set_property(GLOBAL APPEND_STRING PROPERTY AIOS_BUNDLE_${bundle} "${path}\t${mark}\t${file}\n")
  endforeach()
endfunction()

function(aios_bundle_program target path)
  cmake_parse_arguments(arg "" "" "BUNDLE" ${ARGN})
  if(NOT arg_BUNDLE)
    set(arg_BUNDLE boot)
  endif()
  aios_bundle_entry_("${path}" x "$<TARGET_FILE:${target}>" "${arg_BUNDLE}")
  if("boot" IN_LIST arg_BUNDLE OR "runner" IN_LIST arg_BUNDLE)
    add_dependencies(aios-system ${target})
  endif()
  add_dependencies(aios-test-programs ${target})
endfunction()

function(aios_bundle_file file path)
  cmake_parse_arguments(arg "EXECUTABLE" "" "BUNDLE" ${ARGN})
  if(NOT arg_BUNDLE)
    set(arg_BUNDLE boot)
  endif()
  set(executable -)
  if(arg_EXECUTABLE)
    set(executable x)
  endif()
  cmake_path(ABSOLUTE_PATH file BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR} NORMALIZE)
  aios_bundle_entry_("${path}" ${executable} "${file}" "${arg_BUNDLE}")
endfunction()

function(aios_bundle_node path mark rest)
  cmake_parse_arguments(arg "" "" "BUNDLE" ${ARGN})
  if(NOT arg_BUNDLE)
    set(arg_BUNDLE boot)
  endif()
  aios_bundle_entry_("${path}" "${mark}" "${rest}" "${arg_BUNDLE}")
endfunction()

function(aios_bundle_first bundle path)
  set_property(GLOBAL PROPERTY AIOS_BUNDLE_FIRST_${bundle} "${path}")
endfunction()

function(aios_system_target target)
  add_dependencies(aios-system ${target})
endfunction()

function(aios_bundles_finish)
  foreach(target aios-kernel aios-loader)
    if(TARGET ${target})
      aios_system_target(${target})
    endif()
  endforeach()
  get_property(names GLOBAL PROPERTY AIOS_BUNDLE_NAMES)
  foreach(bundle ${names})
    get_property(first GLOBAL PROPERTY AIOS_BUNDLE_FIRST_${bundle})
    if(NOT first)
      set(first bin/initd)
    endif()
    get_property(lines GLOBAL PROPERTY AIOS_BUNDLE_${bundle})
    file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/bundle/${bundle}.list CONTENT "first\t-\t${first}\n${lines}")
  endforeach()
endfunction()
