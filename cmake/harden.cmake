# SPDX-License-Identifier: Apache-2.0
# soak_harden(TARGET): what makes a bug of a program harder to use, for all that is linked with
# TARGET; docs/reference/security.md says what it is good for, tests/cli/test_hardening.py reads it
# off the built files. A compiler that doesn't know a flag, such as one of another processor, does
# without it.
include(CheckCCompilerFlag)
include(CheckPIESupported)
check_pie_supported(LANGUAGES C)

function(soak_harden target)
    foreach(flag -fstack-protector-strong -fstack-clash-protection
            -fcf-protection=full -mbranch-protection=standard)
        string(MAKE_C_IDENTIFIER "SOAK_HAS${flag}" has)
        check_c_compiler_flag("-Werror ${flag}" ${has})
        if(${has})
            target_compile_options(${target} INTERFACE ${flag})
        endif()
    endforeach()
    # Shared objects ask for -fPIC themselves.
    set(shared $<BOOL:$<TARGET_PROPERTY:POSITION_INDEPENDENT_CODE>>)
    target_compile_options(${target} INTERFACE $<$<NOT:${shared}>:-fPIE>)
    # Only with optimisation, and sanitizers check the same, better. An older libc takes 3 for 2.
    if(NOT SOAK_SANITIZE)
        target_compile_options(${target} INTERFACE
            $<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE>
            $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=3>)
    endif()
    target_link_options(${target} INTERFACE -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack
        $<$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>:-pie>)
endfunction()
