// SPDX-License-Identifier: GPL-2.0-only

internal import Glibc

/// The way in: any capture this module can read.
package enum TraceFile {
  /// Opens a capture directory (`NAME.cow`) a trace.dat of version 6 or 7, or ftrace text.
  ///
  /// Throws when there is nothing to read. A capture that is damaged or cut off later opens, gives what is readable and
  /// lists the rest in `TraceReader.damages`.
  package static func open(_ path: String) throws(TraceFileError) -> TraceReader {
    let reader =
      isDirectory(path) ? try CaptureDirectory(path).open() : try open(try ByteRegion(mapping: path))
    reader.name = path
    return reader
  }

  /// Opens a trace held in memory; `name` stands for the file in errors.
  package static func open(bytes: [UInt8], name: String) throws(TraceFileError) -> TraceReader {
    let reader = try open(ByteRegion(copying: bytes, file: name))
    reader.name = name
    return reader
  }

  private static func open(_ region: ByteRegion) throws(TraceFileError) -> TraceReader {
    if TraceDat.isTraceDat(region) { return TraceReader(try TraceDat.open(region)) }
    if TextTrace.isText(region) { return TraceReader(text: region) }
    throw TraceFileError(file: region.file, offset: nil, reason: .notATrace)
  }

  package static func exists(_ path: String) -> Bool {
    var status = stat()
    return unsafe stat(path, &status) == 0
  }

  package static func isDirectory(_ path: String) -> Bool {
    var status = stat()
    return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }
}
