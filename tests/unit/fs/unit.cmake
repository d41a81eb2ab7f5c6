include(${CMAKE_CURRENT_LIST_DIR}/../mm/sources.cmake)
aios_unit_test(fs LIBRARIES crypto.test base.test
    SOURCES ${aios_mm_sources} tests/unit/mm/fake_arch.cpp kernel/object/object.cpp boot/container_check.cpp boot/manifest_table.cpp
    kernel/fs/manifest.cpp kernel/fs/section.cpp kernel/fs/bundle_tree.cpp kernel/fs/bundle.cpp kernel/fs/temporary_node.cpp
    kernel/fs/temporary_tree.cpp kernel/fs/tree_base.cpp kernel/fs/tree_changes.cpp kernel/fs/subtree.cpp
    tests/support/heap_tally.cpp tests/support/hash_lanes_host.cpp)
aios_heap_tally(fs)
# Lets test_verify.cpp act while an entry's leaves are being hashed.
target_link_options(unit_fs PRIVATE -Wl,--wrap=_ZN4aios6crypto14merkle_root_byENS0_11BatchHasherENSt3__14spanIKNS2_5arrayISt4byteLm32EEELm18446744073709551615EEE)
