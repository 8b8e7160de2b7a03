# SPDX-License-Identifier: Apache-2.0
# Distribution packages of Python modules belong to the system's Python, whatever else PATH offers.
find_program(SOAK_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH)
find_program(SOAK_PYTHON python3 REQUIRED)

# A sanitized program is 2 to 50 times slower: how many times longer its tests wait for it.
# tests/integration/patience.py reads it; it is the one place where that is said.
set(SOAK_SLOWDOWN 1)
if(SOAK_SANITIZE)
    set(SOAK_SLOWDOWN 10)
endif()

# When CTest calls a test hung. No measure of speed: a loaded machine may take a hundred times as
# long as a quick one. Longer than tests/integration/patience.py, so that a test says what it waited
# for.
math(EXPR SOAK_HANG_S "3600 * ${SOAK_SLOWDOWN}")

# soak_test(NAME LABEL COMMAND...): one CTest entry. The label is `fast` for what neither runs a
# whole soak nor builds anything and takes less than ten seconds, so that `ctest -L fast` takes less
# than a minute; `slow` for all others. What sanitizers report in a process of the test goes to
# reports/NAME.PID, where scripts/tally.py looks: no test reads all that its processes say.
function(soak_test name label)
    add_test(NAME ${name} COMMAND ${ARGN})
    set(paths SOAK_BIN=${CMAKE_BINARY_DIR}/bin SOAK_BUILD=${CMAKE_BINARY_DIR}
        SOAK_SOURCE=${CMAKE_SOURCE_DIR} SOAK_SLOWDOWN=${SOAK_SLOWDOWN})
    set_tests_properties(${name} PROPERTIES LABELS ${label} TIMEOUT ${SOAK_HANG_S}
        ENVIRONMENT "${paths}")
    if(SOAK_SANITIZE)
        # All three: gcc's UBSan takes AddressSanitizer's path away, or gives it its own.
        set(where string_append::log_path=${CMAKE_BINARY_DIR}/reports/${name})
        set_tests_properties(${name} PROPERTIES ENVIRONMENT_MODIFICATION
            "ASAN_OPTIONS=${where};TSAN_OPTIONS=${where};UBSAN_OPTIONS=${where}")
    endif()
endfunction()

# soak_python(NAME LABEL SCRIPT ARGUMENT...): one unittest program of this folder, SCRIPT.py, which
# says why it skips a case.
function(soak_python name label script)
    soak_test(${name} ${label} ${SOAK_PYTHON} -B ${CMAKE_CURRENT_SOURCE_DIR}/${script}.py -v
        ${ARGN})
endfunction()

# soak_ordinary(NAME): the test says nothing of a build that counts lines or is sanitized:
# scripts/coverage.sh and scripts/sanitize.sh leave it out.
function(soak_ordinary name)
    set_property(TEST ${name} APPEND PROPERTY LABELS ordinary)
endfunction()
