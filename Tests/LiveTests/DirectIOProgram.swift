// SPDX-License-Identifier: GPL-2.0-only

extension LiveHost {
  /// For python: 16 pages are read into and 16 written from with `O_DIRECT`, while a child that was forked just before
  /// shares them; so many times. `preparing`: lines before the first fork, which know `libc`, `size`, and the addresses
  /// `read` and `written`.
  static func directIO(rounds: Int, preparing: String = "") -> String {
    """
    import ctypes, os, tempfile
    libc = ctypes.CDLL(None)
    libc.mmap.restype = ctypes.c_void_p
    libc.pread64.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_long]
    libc.pwrite64.argtypes = libc.pread64.argtypes
    size = 1 << 16
    file, path = tempfile.mkstemp()
    os.write(file, bytes(size))
    direct = os.open(path, os.O_RDWR | os.O_DIRECT)
    os.unlink(path)
    read, written = [libc.mmap(None, ctypes.c_size_t(size), 3, 0x22, -1, ctypes.c_long(0)) for _ in range(2)]
    \(preparing)
    ctypes.memset(written, 7, size)
    for _ in range(\(rounds)):
        receive, send = os.pipe()
        child = os.fork()
        if child == 0:
            os.read(receive, 1)
            os._exit(0)
        assert libc.pread64(direct, read, size, 0) == size
        assert libc.pwrite64(direct, written, size, 0) == size
        os.write(send, b"x")
        os.waitpid(child, 0)
        os.close(receive)
        os.close(send)
    """
  }
}
