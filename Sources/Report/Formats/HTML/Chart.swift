// SPDX-License-Identifier: GPL-2.0-only

/// One picture over the time of a capture, or of two that are compared: a panel each, on the same scales. Numbers and
/// words stand beside the SVG, so that they have their size at every width.
struct Chart {
  enum Shape: String {
    case area, line, dashed
  }

  struct Series {
    var name: String
    var shape: Shape
    /// 1 to 6: a colour of the style sheet.
    var colour: Int
    /// A number for each stretch.
    var values: [Double]
  }

  struct Panel {
    /// What it is of, where there are several.
    var name: String
    /// Ends of the stretches, as parts of the time axis.
    var ends: [Double]
    var series: [Series]
    /// Stretches that are marked at the top.
    var marked: [Bool] = []
    /// Stretches in which records were lost.
    var lossy: [Bool] = []
  }

  var id: String
  var title: String
  /// What is to be seen, in numbers; for who does not see it, too.
  var sentence: String
  var panels: [Panel]
  /// Areas lie on each other, the first at the bottom.
  var isStacked = false
  /// Lines may well lie on each other.
  var overlaps = false
  var scale: ChartScale
  /// What the marks at the top are.
  var marks: String?
  var ticks: [TimeAxis.Tick]

  static let (width, height) = (10_000, 1_000)

  func render() -> String {
    let plots = panels.enumerated().map { number, panel in
      (panels.count > 1 ? "<p class=\"panel\">\(Markup.escaped(panel.name))</p>\n" : "") + plot(panel, number)
    }
    return """
      <figure class="chart" id="\(id)">
      <figcaption><h3>\(Markup.escaped(title))</h3><p>\(Markup.escaped(sentence))</p></figcaption>
      \(plots.joined(separator: "\n"))
      \(legend)
      </figure>
      """
  }

  private func plot(_ panel: Panel, _ number: Int) -> String {
    let name = "\(id)-\(number)"
    let labels = scale.labels.map { "<span>\(Markup.escaped($0))</span>" }.joined()
    let times = ticks.enumerated().map { index, tick in
      let css = tick.position > 0.93 ? " class=\"last\"" : ""
      return "<span\(css) style=\"left:\(Self.percent(tick.position))\">\(Markup.escaped(tick.label))</span>"
    }
    return """
      <div class="plot"><div class="scale" aria-hidden="true">\(labels)</div>
      <svg role="img" aria-labelledby="\(name)-title \(name)-desc" viewBox="0 0 \(Self.width) \(Self.height)" \
      preserveAspectRatio="none">
      <title id="\(name)-title">\(Markup.escaped(panels.count > 1 ? "\(title): \(panel.name)" : title))</title>
      <desc id="\(name)-desc">\(Markup.escaped(sentence))</desc>
      \(paths(panel).joined(separator: "\n"))
      </svg>
      <div class="ticks" aria-hidden="true">\(times.joined())</div></div>
      """
  }

  private var legend: String {
    var items = (panels.first?.series ?? []).map { series in
      "<li><span class=\"key \(series.shape == .area ? "area" : "line \(series.shape.rawValue)") s\(series.colour)\">"
        + "</span>\(Markup.escaped(series.name))</li>"
    }
    if let marks { items.append("<li>| at the top: \(Markup.escaped(marks))</li>") }
    if panels.contains(where: { $0.lossy.contains(true) }) {
      items.append("<li><span class=\"key gap\"></span>records lost</li>")
    }
    return "<ul class=\"legend\">\(items.joined())</ul>"
  }

  // — paths

  private func paths(_ panel: Panel) -> [String] {
    let vertical = ticks.dropFirst().map { "M\(Self.x($0.position)) 0V\(Self.height)" }.joined()
    var paths = ["<path class=\"gap\" d=\"\(bars(panel, panel.lossy, from: 0, to: Self.height))\"/>"]
    paths.append("<path class=\"grid\" d=\"M0 0H\(Self.width)M0 500H\(Self.width)\(vertical)\"/>")
    let heights = panel.series.indices.map { index in
      panel.ends.indices.map { stretch in
        let below = isStacked ? panel.series[..<index].reduce(0) { $0 + $1.values[stretch] } : 0
        return scale.part(below + panel.series[index].values[stretch])
      }
    }
    // What lies on top is drawn first, down to the ground.
    for index in isStacked ? panel.series.indices.reversed() : Array(panel.series.indices) {
      let series = panel.series[index]
      let line = steps(panel.ends, heights[index], closed: series.shape == .area)
      // Lines that lie on each other are all seen: the first are the widest.
      let width = overlaps ? " w\(min(4, panel.series.count - index))" : ""
      paths.append("<path class=\"\(series.shape.rawValue) s\(series.colour)\(width)\" d=\"\(line)\"/>")
    }
    paths.append("<path class=\"grid\" d=\"M0 \(Self.height)H\(Self.width)\"/>")
    if panel.marked.contains(true) {
      let marks = panel.ends.indices.filter { panel.marked[$0] }.map { "M\(Self.x(panel.ends[$0])) 0V70" }
      paths.append("<path class=\"rug\" d=\"\(marks.joined())\"/>")
    }
    return paths
  }

  /// A stair: what stands at the end of a stretch is drawn over the stretch.
  private func steps(_ ends: [Double], _ heights: [Double], closed: Bool) -> String {
    guard let first = heights.first, let last = ends.last else { return "" }
    var path = closed ? "M0 \(Self.height)V\(Self.y(first))" : "M0 \(Self.y(first))"
    for index in heights.indices.dropFirst() where Self.y(heights[index]) != Self.y(heights[index - 1]) {
      path += "H\(Self.x(ends[index - 1]))V\(Self.y(heights[index]))"
    }
    return path + "H\(Self.x(last))" + (closed ? "V\(Self.height)Z" : "")
  }

  private func bars(_ panel: Panel, _ marked: [Bool], from top: Int, to bottom: Int) -> String {
    panel.ends.indices.filter { $0 < marked.count && marked[$0] }.map { index in
      "M\(Self.x(index > 0 ? panel.ends[index - 1] : 0)) \(top)H\(Self.x(panel.ends[index]))V\(bottom)"
        + "H\(Self.x(index > 0 ? panel.ends[index - 1] : 0))Z"
    }.joined()
  }

  private static func x(_ part: Double) -> Int { Int((part * Double(width)).rounded()) }
  private static func y(_ part: Double) -> Int { height - Int((part * Double(height)).rounded()) }

  private static func percent(_ part: Double) -> String {
    let tenths = Int((part * 1000).rounded())
    return "\(tenths / 10).\(tenths % 10)%"
  }
}
