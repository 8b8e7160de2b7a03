# SPDX-License-Identifier: Apache-2.0
# The parts that a subject can be built against in another version than the machine's: how
# src/soak/library/assembly.c builds. Without these options a part is what pkg-config finds.
option(SOAK_SUBJECTS_ONLY "Build the subjects alone, and look for nothing else" OFF)
set(SOAK_LOADER "" CACHE FILEPATH "The subjects' dynamic linker: that of another libc")
set(SOAK_RPATH "" CACHE STRING "The subjects' search path for libraries, divided by colons")
foreach(part OPENSSL LIBUV JEMALLOC)
    set(SOAK_${part}_INCLUDE "" CACHE STRING "Folders of ${part}'s headers; a list")
    set(SOAK_${part}_LIBRARIES "" CACHE STRING "Files of ${part}'s libraries; a list")
endforeach()

# soak_part(NAME MODULE): makes PkgConfig::NAME. With libraries alone the headers are the machine's.
macro(soak_part name module)
    if(SOAK_${name}_LIBRARIES)
        add_library(PkgConfig::${name} INTERFACE IMPORTED)
        set_target_properties(PkgConfig::${name} PROPERTIES
            INTERFACE_INCLUDE_DIRECTORIES "${SOAK_${name}_INCLUDE}"
            INTERFACE_LINK_LIBRARIES "${SOAK_${name}_LIBRARIES}")
    else()
        pkg_check_modules(${name} REQUIRED IMPORTED_TARGET ${module})
    endif()
endmacro()

# soak_subjects(TARGET...): the programs that run on other libraries. Target `subjects` builds them.
function(soak_subjects)
    add_custom_target(subjects DEPENDS ${ARGN})
    foreach(target ${ARGN})
        if(SOAK_LOADER)
            target_link_options(${target} PRIVATE
                "SHELL:-Xlinker --dynamic-linker=\"${SOAK_LOADER}\"")
        endif()
        # DT_RPATH, not DT_RUNPATH: it counts for the libraries' own libraries too. These may need
        # symbols of a libc that the machine's linker doesn't know.
        if(SOAK_RPATH)
            set_target_properties(${target} PROPERTIES SKIP_BUILD_RPATH ON)
            target_link_options(${target} PRIVATE -Wl,--disable-new-dtags
                -Wl,--allow-shlib-undefined
                "SHELL:-Xlinker -rpath -Xlinker \"${SOAK_RPATH}\"")
        endif()
    endforeach()
endfunction()
