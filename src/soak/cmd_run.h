/* SPDX-License-Identifier: Apache-2.0 */
/* `soak run [SCENARIO] [OPTIONS]`, which is also plain `soak [OPTIONS]`. */
#ifndef SOAK_CMD_RUN_H
#define SOAK_CMD_RUN_H

/* argv[0] is skipped, as in main. Returns the exit code. */
int cmd_run(int argc, char *const *argv);

#endif
