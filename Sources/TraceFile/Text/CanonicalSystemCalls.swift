// SPDX-License-Identifier: GPL-2.0-only

/// A system call, with the names of its arguments as in `events/syscalls/sys_enter_*/format` and its number on x86-64
/// (`arch/x86/entry/syscalls/syscall_64.tbl`).
struct SystemCall {
  var name: String
  var number: UInt64
  var arguments: [String]
  /// Whether the model concludes anything from it.
  var matters = true

  init(_ name: String, _ number: UInt64, _ arguments: [String]) {
    (self.name, self.number, self.arguments) = (name, number, arguments)
  }

  private var asideOfTheModel: SystemCall {
    var call = self
    call.matters = false
    return call
  }

  static let all: [SystemCall] = [
    SystemCall("mmap", 9, ["addr", "len", "prot", "flags", "fd", "off"]),
    SystemCall("munmap", 11, ["addr", "len"]),
    SystemCall("mremap", 25, ["addr", "old_len", "new_len", "flags", "new_addr"]),
    SystemCall("mprotect", 10, ["start", "len", "prot"]),
    SystemCall("brk", 12, ["brk"]),
    SystemCall("madvise", 28, ["start", "len_in", "behavior"]),
    SystemCall("process_madvise", 440, ["pidfd", "vec", "vlen", "behavior", "flags"]),
    SystemCall("clone", 56, ["clone_flags", "newsp", "parent_tidptr", "child_tidptr", "tls"]),
    SystemCall("clone3", 435, ["uargs", "size"]),
    SystemCall("fork", 57, []),
    SystemCall("vfork", 58, []),
    SystemCall("execve", 59, ["filename", "argv", "envp"]),
    SystemCall("execveat", 322, ["fd", "filename", "argv", "envp", "flags"]),
    SystemCall("exit_group", 231, ["error_code"]),
    SystemCall("exit", 60, ["error_code"]).asideOfTheModel,
    SystemCall("ioctl", 16, ["fd", "cmd", "arg"]),
    SystemCall("io_uring_register", 427, ["fd", "opcode", "arg", "nr_args"]),
    SystemCall("vmsplice", 278, ["fd", "uiov", "nr_segs", "flags"]),
    SystemCall("process_vm_readv", 310, ["pid", "lvec", "liovcnt", "rvec", "riovcnt", "flags"]),
    SystemCall("process_vm_writev", 311, ["pid", "lvec", "liovcnt", "rvec", "riovcnt", "flags"]),
    SystemCall("ptrace", 101, ["request", "pid", "addr", "data"]),
    SystemCall("pwrite64", 18, ["fd", "buf", "count", "pos"]),
    SystemCall("read", 0, ["fd", "buf", "count"]),
    SystemCall("write", 1, ["fd", "buf", "count"]),
    SystemCall("pread64", 17, ["fd", "buf", "count", "pos"]),
    SystemCall("open", 2, ["filename", "flags", "mode"]),
    SystemCall("openat", 257, ["dfd", "filename", "flags", "mode"]),
    SystemCall("close", 3, ["fd"]),
    SystemCall("dup", 32, ["fildes"]),
    SystemCall("dup2", 33, ["oldfd", "newfd"]),
    SystemCall("dup3", 292, ["oldfd", "newfd", "flags"]),
    SystemCall("fcntl", 72, ["fd", "cmd", "arg"]),
    SystemCall("move_pages", 279, ["pid", "nr_pages", "pages", "nodes", "status", "flags"]),
    SystemCall("migrate_pages", 256, ["pid", "maxnode", "old_nodes", "new_nodes"]),
    SystemCall("mbind", 237, ["start", "len", "mode", "nmask", "maxnode", "flags"]),
    SystemCall("mlock", 149, ["start", "len"]),
    SystemCall("mlock2", 325, ["start", "len", "flags"]),
    SystemCall("munlock", 150, ["start", "len"]).asideOfTheModel,
    SystemCall("mlockall", 151, ["flags"]),
    SystemCall("munlockall", 152, []).asideOfTheModel,
    SystemCall("userfaultfd", 323, ["flags"]),
    SystemCall("pkey_mprotect", 329, ["start", "len", "prot", "pkey"]),
    SystemCall("shmat", 30, ["shmid", "shmaddr", "shmflg"]),
    SystemCall("shmdt", 67, ["shmaddr"]),
    SystemCall("remap_file_pages", 216, ["start", "size", "prot", "pgoff", "flags"]),
  ]

  static let byNumber = Dictionary(uniqueKeysWithValues: all.map { ($0.number, $0) })
}

/// A line of `raw_syscalls`, whose events are the same for every call:
///
///     sys_enter: NR 9 (0, 2000, 3, 22, ffffffff, 0)
///     sys_exit: NR 9 = 140094124867584
struct RawSystemCall {
  var number: UInt64
  /// The entry's arguments; `nil`: the exit.
  var arguments: [UInt64]?
  var result: UInt64?

  static func isName(_ event: String) -> Bool { event == "sys_enter" || event == "sys_exit" }

  init?(_ body: TextLine) {
    guard let place = body.value(of: "NR"), let number = body.number(at: place, radix: 10) else { return nil }
    self.number = number
    var index = body.skipSpaces(from: body.skipDigits(from: place))
    guard index < body.count else { return nil }
    if body[index] == UInt8(ascii: "=") {
      result = body.number(at: body.skipSpaces(from: index + 1), radix: 10)
      return
    }
    guard body[index] == UInt8(ascii: "(") else { return nil }
    var found: [UInt64] = []
    while index < body.count, body[index] != UInt8(ascii: ")"), found.count < 6 {
      let start = body.skipSpaces(from: index + 1)
      guard let value = body.number(at: start, radix: 16) else { return nil }
      found.append(value)
      index = start
      while index < body.count, body[index] != UInt8(ascii: ","), body[index] != UInt8(ascii: ")") { index += 1 }
    }
    arguments = found
  }
}
