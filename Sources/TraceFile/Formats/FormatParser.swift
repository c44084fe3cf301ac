// SPDX-License-Identifier: GPL-2.0-only

internal import CTraceEvent
internal import Synchronization

/// Turns format files into `EventFormat`s with libtraceevent.
///
/// libtraceevent's lexer keeps its position in a global, so one parse runs at a time in the process.
enum FormatParser {
  private static let turn = Mutex(())

  /// Parses the text of one `events/SYSTEM/NAME/format`.
  static func parse(
    _ text: UnsafeRawBufferPointer, system: String, longSize: Int, isBigEndian: Bool
  ) -> Result<EventFormat, FormatRefusal> {
    turn.withLock { _ in unsafe parseAlone(text, system, longSize, isBigEndian) }
  }

  struct FormatRefusal: Error {
    var message: String
  }

  private static func parseAlone(
    _ text: UnsafeRawBufferPointer, _ system: String, _ longSize: Int, _ isBigEndian: Bool
  ) -> Result<EventFormat, FormatRefusal> {
    guard let tep = unsafe tep_alloc() else { return .failure(FormatRefusal(message: "out of memory")) }
    defer { unsafe tep_free(tep) }
    tep_set_loglevel(TEP_LOG_NONE)
    unsafe tep_set_long_size(tep, Int32(longSize))
    unsafe tep_set_file_bigendian(tep, isBigEndian ? TEP_BIG_ENDIAN : TEP_LITTLE_ENDIAN)
    guard let parts = unsafe FormatText(text) else { return .failure(FormatRefusal(message: "not a format file")) }
    // The lexer looks one byte past the end: give it a terminated copy.
    let copy = parts.fields.map { CChar(bitPattern: $0) } + [0]
    var event: UnsafeMutablePointer<tep_event>?
    let status = unsafe tep_parse_format(tep, &event, copy, UInt(parts.fields.count), system)
    guard let event = unsafe event else {
      return .failure(FormatRefusal(message: "libtraceevent error \(status.rawValue)"))
    }
    guard unsafe event.pointee.id >= 0, unsafe event.pointee.id <= Int(UInt16.max), let name = unsafe event.pointee.name
    else { return .failure(FormatRefusal(message: "no possible id or name")) }
    let symbols = SymbolParser.tables(printFormat: parts.printFormat)
    return .success(
      unsafe EventFormat(
        system: system, name: String(cString: name), id: UInt16(event.pointee.id),
        commonFields: fields(event.pointee.format.common_fields), fields: fields(event.pointee.format.fields),
        symbolsByField: symbols))
  }

  private static func fields(_ list: UnsafeMutablePointer<tep_format_field>?) -> [EventFormat.Field] {
    var result: [EventFormat.Field] = []
    var next = unsafe list
    while let field = unsafe next {
      unsafe next = field.pointee.next
      guard let name = unsafe field.pointee.name, let layout = unsafe layout(field.pointee) else { continue }
      let type = unsafe field.pointee.type.map { unsafe String(cString: $0) } ?? ""
      unsafe result.append(EventFormat.Field(name: String(cString: name), type: type, layout: layout))
    }
    return result
  }

  private static func layout(_ field: tep_format_field) -> FieldLayout? {
    guard let offset = unsafe UInt32(exactly: field.offset), let size = unsafe UInt32(exactly: field.size) else {
      return nil
    }
    let flags = unsafe field.flags
    func has(_ flag: tep_format_flags) -> Bool { flags & UInt(flag.rawValue) != 0 }
    let isArray = has(TEP_FIELD_IS_ARRAY)
    let kind: FieldLayout.Kind =
      if has(TEP_FIELD_IS_RELATIVE) {
        .relativeLocation
      } else if has(TEP_FIELD_IS_DYNAMIC) {
        .dataLocation
      } else if isArray {
        .array
      } else if [1, 2, 4, 8].contains(size) {
        .scalar
      } else {
        .opaque
      }
    let elementSize = kind == .scalar || kind == .opaque ? size : unsafe UInt32(clamping: field.elementsize)
    return FieldLayout(
      offset: offset, size: size, elementSize: elementSize, isSigned: has(TEP_FIELD_IS_SIGNED), kind: kind)
  }
}
