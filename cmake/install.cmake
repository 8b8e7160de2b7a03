# SPDX-License-Identifier: Apache-2.0
# `cmake --install build`: soak, what it starts and preloads in lib/soak, and what it reads in
# share/soak. catalog.c finds both from the program's own place. There is no other path in the
# programs.
install(TARGETS soak RUNTIME)
install(TARGETS soak-server soak-client soak-footprint
    RUNTIME DESTINATION ${SOAK_PROGRAMS_FOLDER})
if(TARGET soakprobe)
    install(TARGETS soakprobe soakprobe-malloc LIBRARY DESTINATION ${SOAK_PROGRAMS_FOLDER})
endif()

set(share ${CMAKE_INSTALL_DATADIR}/soak)
install(DIRECTORY scenarios DESTINATION ${share})
install(DIRECTORY results/schema DESTINATION ${share})
# `--openssl VERSION` builds the server against another library: assembly_build.c,
# SOAK_SUBJECTS_ONLY.
install(FILES CMakeLists.txt DESTINATION ${share})
install(DIRECTORY cmake server footprint DESTINATION ${share}
    PATTERN cmake/version.txt EXCLUDE)
install(FILES ${CMAKE_BINARY_DIR}/version.txt DESTINATION ${share}/cmake)
install(DIRECTORY src/common DESTINATION ${share}/src)

# What soak prints of itself, from the same tables as --help: soak_prints(FILE FOLDER WORD...).
function(soak_prints file folder)
    set(printed ${CMAKE_BINARY_DIR}/printed/${folder}/${file})
    get_filename_component(made ${printed} DIRECTORY)
    file(MAKE_DIRECTORY ${made})
    add_custom_command(OUTPUT ${printed} COMMAND soak ${ARGN} > ${printed} DEPENDS soak VERBATIM)
    set_property(GLOBAL APPEND PROPERTY SOAK_PRINTED ${printed})
    install(FILES ${printed} DESTINATION ${folder})
endfunction()
soak_prints(soak.1 ${CMAKE_INSTALL_MANDIR}/man1 --man)
soak_prints(soak ${CMAKE_INSTALL_DATADIR}/bash-completion/completions --completion bash)
soak_prints(soak.fish ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d --completion fish)
# Debian's zsh looks for those of packages elsewhere.
set(SOAK_ZSH_FOLDER ${CMAKE_INSTALL_DATADIR}/zsh/site-functions CACHE STRING
    "Where zsh looks for completions")
soak_prints(_soak ${SOAK_ZSH_FOLDER} --completion zsh)
get_property(printed GLOBAL PROPERTY SOAK_PRINTED)
add_custom_target(printed ALL DEPENDS ${printed})

install(FILES README.md CHANGELOG.md CONTRIBUTING.md SECURITY.md LICENSE DESTINATION
    ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR})
# What places soak on machines: packaging/ without what makes its packages. Not with the permissions
# of the clone, which are those of whoever made it.
install(DIRECTORY packaging/kubernetes packaging/slurm packaging/ssh packaging/systemd
    DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples PATTERN "*.sh" PERMISSIONS OWNER_READ OWNER_WRITE
    OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
