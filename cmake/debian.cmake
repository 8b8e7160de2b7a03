# SPDX-License-Identifier: Apache-2.0
# What Debian's policy asks of a package beside what `cmake --install` installs: run by cpack in the
# folder that becomes the .deb. Everything is the same for a commit, whenever it is packaged.
if(NOT CPACK_GENERATOR STREQUAL DEB)
    return()
endif()
set(share ${CPACK_TEMPORARY_DIRECTORY}/usr/share)
set(doc ${share}/doc/soak)

function(soak_compress file)
    execute_process(COMMAND gzip -9nf ${file} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

# Policy 12.7; the time is SOURCE_DATE_EPOCH where package.sh has set it.
string(TIMESTAMP time "%a, %d %b %Y %H:%M:%S +0000" UTC)
file(WRITE ${doc}/changelog "soak (${CPACK_PACKAGE_VERSION}) unstable; urgency=medium\n\n"
    "  * What changed is told in CHANGELOG.md beside this file.\n\n"
    " -- ${CPACK_PACKAGE_CONTACT}  ${time}\n")
soak_compress(${doc}/changelog)
soak_compress(${share}/man/man1/soak.1)

# Policy 12.5: the licence is Debian's copy of it.
file(COPY ${CPACK_SOAK_SOURCE}/packaging/debian/copyright DESTINATION ${doc})
file(REMOVE ${doc}/LICENSE)
file(CREATE_LINK ../../common-licenses/Apache-2.0 ${doc}/LICENSE SYMBOLIC)

file(MAKE_DIRECTORY ${share}/lintian/overrides)
configure_file(${CPACK_SOAK_SOURCE}/packaging/debian/soak.lintian-overrides
    ${share}/lintian/overrides/soak COPYONLY)

# Whatever the umask is.
file(CHMOD ${doc}/changelog.gz ${doc}/copyright ${share}/man/man1/soak.1.gz
    ${share}/lintian/overrides/soak PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
file(CHMOD ${share}/lintian ${share}/lintian/overrides PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
