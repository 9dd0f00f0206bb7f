# SPDX-License-Identifier: BSD-2-Clause
"""Nymph in gdb: loaded by kernel.elf-gdb.py beside the kernel's ELF file."""

from nymph import commands, printers


def load(objfile):
    printers.register(objfile)
    commands.register()
