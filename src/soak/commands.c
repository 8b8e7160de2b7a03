/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"

#include "cmd_list.h"
#include "cmd_show.h"
#include "compare/cmd_bisect.h"
#include "compare/cmd_compare.h"
#include "library/cmd_libs.h"
#include "selftest/cmd_calibrate.h"
#include "selftest/cmd_selftest.h"
#include "suite/cmd_merge.h"
#include "suite/cmd_suite.h"

static const struct command_entry entries[] = {
    {&list_command, cmd_list},          {&show_command, cmd_show},
    {&suite_command, cmd_suite},        {&merge_command, cmd_merge},
    {&libs_command, cmd_libs},          {&compare_command, cmd_compare},
    {&bisect_command, cmd_bisect},      {&selftest_command, cmd_selftest},
    {&calibrate_command, cmd_calibrate}};

const struct command_entry *commands(size_t *ret_count)
{
    *ret_count = sizeof entries / sizeof *entries;
    return entries;
}
