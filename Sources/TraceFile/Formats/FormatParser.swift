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
    // The lexer wants to look one byte past the end: give it a terminated copy.
    var copy = unsafe [CChar](
      UnsafeBufferPointer(start: text.baseAddress?.assumingMemoryBound(to: CChar.self), count: text.count))
    copy.append(0)
    var event: UnsafeMutablePointer<tep_event>?
    let status = unsafe tep_parse_format(tep, &event, copy, UInt(text.count), system)
    guard let event = unsafe event else {
      return .failure(FormatRefusal(message: "libtraceevent error \(status.rawValue)"))
    }
    guard unsafe event.pointee.id >= 0, unsafe event.pointee.id <= Int(UInt16.max), let name = unsafe event.pointee.name
    else { return .failure(FormatRefusal(message: "no possible id or name")) }
    var symbols: [String: SymbolTable] = [:]
    var budget = 10_000
    unsafe collectSymbols(event.pointee.print_fmt.args, into: &symbols, budget: &budget)
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

  /// Walks the parsed print fmt for `__print_flags` and `__print_symbolic` and files each table under the first field
  /// its value expression names.
  private static func collectSymbols(
    _ first: UnsafeMutablePointer<tep_print_arg>?, into symbols: inout [String: SymbolTable], budget: inout Int
  ) {
    var next = unsafe first
    while let arg = unsafe next, budget > 0 {
      budget -= 1
      unsafe next = arg.pointee.next
      switch unsafe arg.pointee.type {
      case TEP_PRINT_FLAGS:
        let flags = unsafe arg.pointee.flags
        unsafe file(entries(flags.flags), .flags, under: flags.field, &symbols, &budget)
      case TEP_PRINT_SYMBOL:
        let symbol = unsafe arg.pointee.symbol
        unsafe file(entries(symbol.symbols), .values, under: symbol.field, &symbols, &budget)
      case TEP_PRINT_OP:
        unsafe collectSymbols(arg.pointee.op.left, into: &symbols, budget: &budget)
        unsafe collectSymbols(arg.pointee.op.right, into: &symbols, budget: &budget)
      case TEP_PRINT_TYPE:
        unsafe collectSymbols(arg.pointee.typecast.item, into: &symbols, budget: &budget)
      case TEP_PRINT_FUNC:
        unsafe collectSymbols(arg.pointee.func.args, into: &symbols, budget: &budget)
      default:
        break
      }
    }
  }

  private static func file(
    _ entries: [SymbolTable.Entry], _ meaning: SymbolTable.Meaning, under value: UnsafeMutablePointer<tep_print_arg>?,
    _ symbols: inout [String: SymbolTable], _ budget: inout Int
  ) {
    guard let name = unsafe fieldName(value, &budget), symbols[name] == nil else { return }
    symbols[name] = SymbolTable(meaning: meaning, entries: entries)
  }

  private static func fieldName(_ arg: UnsafeMutablePointer<tep_print_arg>?, _ budget: inout Int) -> String? {
    guard let arg = unsafe arg, budget > 0 else { return nil }
    budget -= 1
    switch unsafe arg.pointee.type {
    case TEP_PRINT_FIELD: return unsafe arg.pointee.field.name.map { unsafe String(cString: $0) }
    case TEP_PRINT_TYPE: return unsafe fieldName(arg.pointee.typecast.item, &budget)
    case TEP_PRINT_OP:
      return unsafe fieldName(arg.pointee.op.left, &budget) ?? fieldName(arg.pointee.op.right, &budget)
    default: return nil
    }
  }

  /// libtraceevent has already evaluated the constant expressions to decimal text.
  private static func entries(_ list: UnsafeMutablePointer<tep_print_flag_sym>?) -> [SymbolTable.Entry] {
    var result: [SymbolTable.Entry] = []
    var next = unsafe list
    while let entry = unsafe next {
      unsafe next = entry.pointee.next
      guard let text = unsafe entry.pointee.value, let name = unsafe entry.pointee.str,
        let value = number(unsafe String(cString: text))
      else { continue }
      unsafe result.append(SymbolTable.Entry(value: value, name: String(cString: name)))
    }
    return result
  }

  private static func number(_ text: String) -> UInt64? {
    if text.hasPrefix("0x") { return UInt64(text.dropFirst(2), radix: 16) }
    return UInt64(text) ?? Int64(text).map { UInt64(bitPattern: $0) }
  }
}
