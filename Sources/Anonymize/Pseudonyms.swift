// SPDX-License-Identifier: GPL-2.0-only

/// Names instead of names: the same one for the same name, and of no use without the secret.
struct Pseudonyms {
  private let secret: Secret

  init(_ secret: Secret) { self.secret = secret }

  private static let digits = Array("abcdefghijklmnopqrstuvwxyz234567")

  /// 13 characters: `p` and 60 bits. Not of an empty name.
  func name(_ name: String) -> String {
    guard !name.isEmpty else { return "" }
    var rest = secret.hash("name", name)
    return "p"
      + String(
        (0..<12).map { _ in
          defer { rest >>= 5 }
          return Self.digits[Int(rest & 31)]
        })
  }

  /// What the kernel calls a mapping stays; of what programs and files are called, the kind.
  func mapping(_ name: String) -> String {
    if name.isEmpty || Self.kernels.contains(name) { return name }
    for kind in ["[anon:", "[anon_shmem:"] where name.hasPrefix(kind) {
      return kind + self.name(String(name.dropFirst(kind.count).prefix { $0 != "]" })) + "]"
    }
    // Hugetlb's own file, which is how anonymous memory of it is known.
    for kind in ["/anon_hugepage", "/SYSV", "/dev/zero", "/memfd:", "/dev/hugepages/"] where name.hasPrefix(kind) {
      return kind == "/memfd:" || kind == "/dev/hugepages/" ? kind + self.name(name) : kind
    }
    return "/" + self.name(name)
  }

  private static let kernels: Set<String> = [
    "[heap]", "[stack]", "[vdso]", "[vvar]", "[vvar_vclock]", "[vsyscall]", "[vectors]", "[sigpage]", "[uprobes]",
  ]

  /// The words of a command line; those that are this program's own stay.
  func command(_ words: [String]) -> [String] {
    words.map { ["cowscope", "record", "--"].contains($0) ? $0 : name($0) }
  }
}
