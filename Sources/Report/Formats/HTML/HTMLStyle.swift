// SPDX-License-Identifier: GPL-2.0-only

extension HTMLReport {
  /// Every colour of text has a contrast of 4.5 or more to its ground, every colour of a picture 3 or more, in both
  /// schemes; pictures tell their series apart by shape, dashes and order too.
  static let styleSheet = """
    :root { color-scheme: light dark; --ground: #ffffff; --text: #1b1b1f; --faint: #5c5f66; --line: #c9ccd1;
    --box: #f4f5f7; --bad: #b3261e; --warn: #8a5a00; --good: #1b6e3c; --link: #1a56b0; --gap: #f3c9c6;
    --s1: #1f63c4; --s2: #b45309; --s3: #18794e; --s4: #6d28d9; --s5: #a21a5b; --s6: #5c5f66; }
    @media (prefers-color-scheme: dark) { :root { --ground: #14161a; --text: #e7e8ea; --faint: #a4a9b1;
    --line: #3a3f47; --box: #1d2026; --bad: #ff8a80; --warn: #ffca6b; --good: #7fd99a; --link: #8ab8ff; --gap: #5a2a28;
    --s1: #6ea8ff; --s2: #f0a04b; --s3: #5fc98b; --s4: #b796ff; --s5: #ff86b6; --s6: #a4a9b1; } }
    @media print { :root { color-scheme: light; --ground: #ffffff; --text: #000000; --faint: #444444; --box: #ffffff; }
    nav { display: none; } .chart, table { break-inside: avoid; } .scroll { overflow: visible; } }
    * { box-sizing: border-box; }
    body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 0 auto; padding: 1rem;
    background: var(--ground); color: var(--text); overflow-wrap: break-word; }
    h1 { font-size: 1.5rem; line-height: 1.25; margin: .5rem 0; overflow-wrap: anywhere; }
    h2 { font-size: 1.2rem; margin: 2.2rem 0 .6rem; border-bottom: 1px solid var(--line); }
    h3 { font-size: 1rem; margin: 1.2rem 0 .3rem; }
    p { margin: .4rem 0; max-width: 75ch; } a { color: var(--link); }
    nav ul { display: flex; flex-wrap: wrap; gap: .2rem 1rem; list-style: none; padding: 0; margin: .6rem 0; }
    .headline { font-size: 1.05rem; }
    .scroll { overflow-x: auto; max-width: 100%; margin: .8rem 0; }
    table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .93rem; }
    caption { text-align: left; color: var(--faint); padding: .2rem 0; }
    th, td { padding: .2rem .9rem .2rem 0; text-align: right; vertical-align: top; white-space: nowrap; }
    th { font-weight: 600; } tbody th { font-weight: 400; text-align: left; } thead th:first-child { text-align: left; }
    .words td, .words th { text-align: left; white-space: normal; } .words tbody th { white-space: nowrap; }
    .sites td:nth-child(n+4), .sites th:nth-child(n+4) { text-align: left; white-space: normal; min-width: 10rem; }
    .gaps td:nth-child(2), .gaps th:nth-child(2), .gaps td:nth-child(n+4), .gaps th:nth-child(n+4)
    { text-align: left; white-space: normal; }
    .processes td:nth-child(3), .processes th:nth-child(3) { text-align: left; }
    tbody tr { border-top: 1px solid var(--line); }
    details { border: 1px solid var(--line); border-radius: .4rem; margin: .4rem 0; padding: .4rem .8rem; }
    summary { cursor: pointer; } dt { font-weight: 600; margin-top: .5rem; } dd { margin: 0 0 0 1rem; }
    pre { overflow-x: auto; font-size: .85rem; background: var(--box); padding: .5rem; } code { overflow-wrap: anywhere; }
    .bad { color: var(--bad); font-weight: 600; } .warn { color: var(--warn); } .good { color: var(--good); }
    .zero { color: var(--faint); }
    .charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 30rem), 1fr)); gap: 1rem 2rem; }
    .chart { margin: 0; min-width: 0; } .chart h3 { margin: 0; } .chart p { font-size: .93rem; }
    .panel { margin: .5rem 0 0; padding: 0; font-size: .85rem; color: var(--faint); overflow-wrap: anywhere; }
    .plot { display: grid; grid-template-columns: 4.2rem 1fr; }
    .scale { display: flex; flex-direction: column; justify-content: space-between; text-align: right;
    padding-right: .4rem; margin: -.6em 0; font-size: .8rem; color: var(--faint); font-variant-numeric: tabular-nums; }
    .plot svg { width: 100%; height: 9rem; display: block; overflow: visible; }
    .ticks { grid-column: 2; position: relative; height: 1.4rem; font-size: .8rem; color: var(--faint); }
    .ticks span { position: absolute; transform: translateX(-50%); white-space: nowrap; }
    .ticks span:first-child { transform: none; } .ticks span.last { transform: translateX(-100%); }
    .legend { display: flex; flex-wrap: wrap; gap: .1rem 1rem; list-style: none; padding: 0; margin: .2rem 0;
    font-size: .88rem; }
    .key { display: inline-block; width: 1.2rem; height: .7rem; margin-right: .35rem; vertical-align: baseline; }
    .key.line { height: 0; border-top: 3px solid; vertical-align: middle; } .key.dashed { border-top-style: dashed; }
    svg path { vector-effect: non-scaling-stroke; fill: none; stroke-width: 2; }
    .grid { stroke: var(--line); } svg .grid { stroke-width: 1; } svg .gap { fill: var(--gap); stroke: none; }
    .key.gap { background: var(--gap); } svg .rug { stroke: var(--text); stroke-width: 1; }
    svg .w2 { stroke-width: 4; } svg .w3 { stroke-width: 6; } svg .w4 { stroke-width: 8; }
    svg .dashed { stroke-dasharray: 5 4; } svg .area { stroke: var(--ground); stroke-width: 1; }
    \((1...6).map { "svg .area.s\($0) { fill: var(--s\($0)); } svg .line.s\($0), svg .dashed.s\($0) { stroke: var(--s\($0)); } .key.area.s\($0) { background: var(--s\($0)); } .key.s\($0) { border-color: var(--s\($0)); }" }.joined(separator: "\n"))
    """
}
