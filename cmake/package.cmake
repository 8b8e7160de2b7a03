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
set(CPACK_PACKAGE_CONTACT "soak maintainers <maintainers@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY
    "TLS connection-churn soak test that finds native memory leaks")
set(CPACK_PACKAGE_DESCRIPTION "Holds a stable set of TLS connections while it churns thousands of \
others, counts every OpenSSL block exactly and says whether something grows per connection, where \
and why. The server is its own, or any program, which it preloads a probe into.")
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
include(CPack)
