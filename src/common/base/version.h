/* SPDX-License-Identifier: Apache-2.0 */
/* The version of soak, found at each build (cmake/version.cmake), in one object file: a commit
 * doesn't have everything compiled anew. */
#ifndef SOAK_BASE_VERSION_H
#define SOAK_BASE_VERSION_H

extern const char soak_version[];

#endif
