# SPDX-License-Identifier: Apache-2.0
# The version that soak says: of the tag v0.1.0 it is 0.1.0, twelve commits later
# 0.1.0+12.g0123456789, without a tag that of the project with +g0123456789; .dirty where files
# differ from the commit. Where there is no repository: what `git archive` or `cmake --install` put
# into version.txt, else the project's.

function(soak_git source result)
    set(${result} "" PARENT_SCOPE)
    execute_process(COMMAND git -C ${source} ${ARGN} OUTPUT_VARIABLE said ERROR_QUIET
        RESULT_VARIABLE code OUTPUT_STRIP_TRAILING_WHITESPACE)
    if(code EQUAL 0)
        set(${result} "${said}" PARENT_SCOPE)
    endif()
endfunction()

# `v0.1.0-12-g0123456789-dirty` as it is said.
function(soak_described text result)
    string(REGEX REPLACE "^v" "" text "${text}")
    string(REGEX REPLACE "-([0-9]+)-g" "+\\1.g" text "${text}")
    if(text MATCHES "-dirty$" AND NOT text MATCHES "\\+")
        string(REGEX REPLACE "-dirty$" "+dirty" text "${text}")
    endif()
    string(REGEX REPLACE "-dirty$" ".dirty" text "${text}")
    set(${result} "${text}" PARENT_SCOPE)
endfunction()

function(soak_version source project result)
    set(version ${project})
    file(READ ${source}/cmake/version.txt written)
    string(STRIP "${written}" written)
    file(REAL_PATH ${source} here)
    soak_git(${source} top rev-parse --show-toplevel)
    if(top STREQUAL here)
        soak_git(${source} said describe --tags --match v[0-9]* --abbrev=10 --dirty)
        if(NOT said)
            soak_git(${source} said describe --match no-tag --always --abbrev=10 --dirty)
            string(PREPEND said "${project}+g")
        endif()
        soak_described("${said}" version)
    elseif(written MATCHES "^v?[0-9]")
        soak_described("${written}" version)
    endif()
    set(${result} ${version} PARENT_SCOPE)
endfunction()

# cmake -D SOURCE=... -D PROJECT=0.1.0 -D FOLDER=... -P version.cmake: writes version.c and
# version.txt, where they aren't so already.
if(CMAKE_SCRIPT_MODE_FILE)
    cmake_policy(SET CMP0053 NEW) # file(CONFIGURE) alone replaces @VERSION@
    soak_version(${SOURCE} ${PROJECT} VERSION)
    file(CONFIGURE OUTPUT ${FOLDER}/version.txt CONTENT "@VERSION@\n" @ONLY)
    file(CONFIGURE OUTPUT ${FOLDER}/version.c @ONLY CONTENT
        "#include \"base/version.h\"\nconst char soak_version[] = \"@VERSION@\";\n")
endif()
