# SPDX-License-Identifier: Apache-2.0
"""Writes COUNT names for unbound into FILE and becomes COMMAND: python3 unbound_names.py COUNT FILE COMMAND..."""

import os
import sys

count, path, *command = sys.argv[1:]
with open(path, "w", encoding="ascii") as file:
    file.writelines(f'local-data: "n{i}.test. A 127.0.0.1"\n' for i in range(int(count)))
os.execv(command[0], command)
