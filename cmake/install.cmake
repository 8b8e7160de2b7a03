# SPDX-License-Identifier: Apache-2.0
# `cmake --install build`: the programs side by side, where soak looks for the others; what it reads
# in share/soak, which catalog.c finds from the program's own place. There is no other path in the
# programs.
install(TARGETS soak soak-server soak-client soak-footprint RUNTIME)
if(TARGET soakprobe)
    install(TARGETS soakprobe soakprobe-malloc LIBRARY DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

set(share ${CMAKE_INSTALL_DATADIR}/soak)
install(DIRECTORY scenarios DESTINATION ${share})
install(DIRECTORY results/schema DESTINATION ${share})
# `--openssl VERSION` builds the server against another library: assembly_build.c,
# SOAK_SUBJECTS_ONLY.
install(FILES CMakeLists.txt DESTINATION ${share})
install(DIRECTORY cmake server footprint DESTINATION ${share})
install(DIRECTORY src/common DESTINATION ${share}/src)

# From the same tables as --help.
set(man ${CMAKE_BINARY_DIR}/soak.1)
add_custom_command(OUTPUT ${man} COMMAND soak --man > ${man} DEPENDS soak VERBATIM)
add_custom_target(man ALL DEPENDS ${man})
install(FILES ${man} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)

install(FILES README.md CHANGELOG.md CONTRIBUTING.md SECURITY.md LICENSE DESTINATION
    ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR})
