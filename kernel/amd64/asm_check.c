/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The offsets that assembly uses, checked against the structures.
 */
#include <kern/globaldata.h>
#include <kern/thread.h>

#include <amd64/asm.h>
#include <amd64/frame.h>

_Static_assert(offsetof(struct globaldata, gd_self) == 0, "gd_self");
_Static_assert(
    offsetof(struct globaldata, gd_curthread) == GD_CURTHREAD, "gd_curthread");
_Static_assert(
    offsetof(struct globaldata, gd_user_rsp) == GD_USER_RSP, "gd_user_rsp");
_Static_assert(offsetof(struct globaldata, gd_kstack_top) == GD_KSTACK_TOP,
    "gd_kstack_top");
_Static_assert(offsetof(struct thread, td_md.md_rsp) == TD_RSP, "md_rsp");
_Static_assert(offsetof(struct trapframe, tf_trapno) == TF_TRAPNO, "tf_trapno");
_Static_assert(offsetof(struct trapframe, tf_rip) == TF_RIP, "tf_rip");
_Static_assert(offsetof(struct trapframe, tf_cs) == TF_CS, "tf_cs");
_Static_assert(offsetof(struct trapframe, tf_rflags) == TF_RFLAGS, "tf_rflags");
_Static_assert(offsetof(struct trapframe, tf_rsp) == TF_RSP, "tf_rsp");
