# SPDX-License-Identifier: Apache-2.0
# `cpack` in a build: soak_VERSION_ARCH.deb and soak-VERSION-Linux.tar.gz, what `cmake --install`
# installs below /usr. scripts/package.sh makes them so that they are the same wherever they are
# built.
include(cmake/version.cmake)
# cpack doesn't build: who packages has built.
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON)
soak_version(${CMAKE_SOURCE_DIR} ${PROJECT_VERSION} CPACK_PACKAGE_VERSION)
set(CPACK_GENERATOR DEB TGZ)
set(CPACK_PACKAGE_NAME soak)
# The project is reached by its repository (SECURITY.md) and has no address; a package must have
# one.
# RFC 2606 keeps .invalid for what can't be one.
set(SOAK_CONTACT "soak maintainers <maintainers@soak.invalid>" CACHE STRING
    "Who publishes the package: NAME <ADDRESS>")
set(CPACK_PACKAGE_CONTACT "${SOAK_CONTACT}")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY
    "TLS connection-churn soak test that finds native memory leaks")
set(CPACK_PACKAGE_DESCRIPTION "\
soak holds a stable set of TLS connections while it churns thousands of
others through a server, counts every block that OpenSSL allocates and
says which of them outlive their connection: PASS or LEAK, with the line
that allocates them, the call stacks and the peers that cause it.

The server is its own, or any program that isn't linked statically, such
as nginx or a Java VM, which it preloads a probe into. It compares
versions of OpenSSL, and remembers the figures of each night.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
# A report names functions and lines of soak's own server too: from its debug information.
set(CPACK_STRIP_FILES OFF)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE
    GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# What --debuginfod, and --openssl VERSION with its build of the server, take.
set(CPACK_DEBIAN_PACKAGE_SUGGESTS
    "libdebuginfod1, build-essential, cmake, pkg-config, libssl-dev, libuv1-dev, libjemalloc-dev")
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_SOURCE_DIR}/cmake/debian.cmake)
set(CPACK_SOAK_SOURCE ${CMAKE_SOURCE_DIR})
include(CPack)
