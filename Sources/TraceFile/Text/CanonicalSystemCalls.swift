// SPDX-License-Identifier: GPL-2.0-only

extension CanonicalEvent {
  /// System calls and the names of their arguments, as in `events/syscalls/sys_enter_*/format`.
  static let systemCalls: [(name: String, arguments: [String])] = [
    ("mmap", ["addr", "len", "prot", "flags", "fd", "off"]),
    ("munmap", ["addr", "len"]),
    ("mremap", ["addr", "old_len", "new_len", "flags", "new_addr"]),
    ("mprotect", ["start", "len", "prot"]),
    ("brk", ["brk"]),
    ("madvise", ["start", "len_in", "behavior"]),
    ("process_madvise", ["pidfd", "vec", "vlen", "behavior", "flags"]),
    ("clone", ["clone_flags", "newsp", "parent_tidptr", "child_tidptr", "tls"]),
    ("clone3", ["uargs", "size"]),
    ("fork", []),
    ("vfork", []),
    ("execve", ["filename", "argv", "envp"]),
    ("execveat", ["fd", "filename", "argv", "envp", "flags"]),
    ("exit_group", ["error_code"]),
    ("exit", ["error_code"]),
    ("ioctl", ["fd", "cmd", "arg"]),
    ("io_uring_register", ["fd", "opcode", "arg", "nr_args"]),
    ("vmsplice", ["fd", "uiov", "nr_segs", "flags"]),
    ("process_vm_readv", ["pid", "lvec", "liovcnt", "rvec", "riovcnt", "flags"]),
    ("process_vm_writev", ["pid", "lvec", "liovcnt", "rvec", "riovcnt", "flags"]),
    ("ptrace", ["request", "pid", "addr", "data"]),
    ("move_pages", ["pid", "nr_pages", "pages", "nodes", "status", "flags"]),
    ("mbind", ["start", "len", "mode", "nmask", "maxnode", "flags"]),
    ("mlock", ["start", "len"]),
    ("mlock2", ["start", "len", "flags"]),
    ("munlock", ["start", "len"]),
    ("mlockall", ["flags"]),
    ("munlockall", []),
    ("userfaultfd", ["flags"]),
    ("pkey_mprotect", ["start", "len", "prot", "pkey"]),
  ]
}
