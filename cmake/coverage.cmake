# SPDX-License-Identifier: Apache-2.0
# soak_cover(TARGET): all that is linked with TARGET counts which of its lines run, and adds its
# counts to the build's when it ends. Workers run in threads, so the counting is atomic; not in the
# judge and soak-footprint, which have one thread and count most: there it takes three times as long
# so. A process that ends by _exit() writes too; one that a signal ends doesn't.
function(soak_cover target)
    set(single soak_stats soak_judge soak_attribution soak_compare_stats soak-footprint)
    target_compile_options(${target} INTERFACE --coverage
        "-fprofile-update=$<IF:$<IN_LIST:$<TARGET_PROPERTY:NAME>,${single}>,single,atomic>")
    add_library(soak_covered STATIC ${CMAKE_SOURCE_DIR}/cmake/covered.c)
    target_link_options(${target} INTERFACE --coverage -Wl,--wrap=_exit)
    target_link_libraries(${target} INTERFACE soak_covered)
endfunction()
