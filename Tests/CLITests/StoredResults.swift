// SPDX-License-Identifier: GPL-2.0-only

/// Results as the contract in docs/json.md describes them, written by hand.
enum Stored {
  /// A result with these divergence lines.
  static func result(_ divergences: [String], lost: Int = 0) -> String {
    let capture =
      #"{"type":"capture","version":2,"name":"t.cow","kernel":"6.18.0","command":["true"],"records":10,"#
      + #""span_ns":1000000000,"mms":2,"page_shift":12,"limits":[],"occurrences":[],"#
      + #""trust":{"state":"trusted","reasons":[],"sentence":"","max_unknown_percent":5}}"#
    let encoding =
      #"{"type":"encoding","id":"C-strict","checks":7,"verdicts":{"UNSAFE":{"definite":3,"possible":0}},"costs":{"extra_copies":0}}"#
    let loss = #"{"type":"loss","per_cpu":{"0":\#(lost)},"unknown_mms":0}"#
    let tally = #"{"checked":1,"agree":1,"disagree":0,"unknown":0}"#
    let verify =
      #"{"version":2,"decisions":\#(tally),"entries":\#(tally),"pages":\#(tally),"unknown_causes":{},"#
      + #""disagreement_causes":{},"first_disagreement":null}"#
    let summary =
      #"{"type":"summary","events":9,"unknown_events":0,"trusted_ns":1000000000,"#
      + #""verify":\#(verify),"exit":0}"#
    return ([capture, encoding] + divergences + [loss, summary]).map { $0 + "\n" }.joined()
  }

  static func divergence(
    rule: String = "C1", transition: String, count: Int, text: String = "fork: shared"
  ) -> String {
    #"{"type":"divergence","encoding":"C-strict","verdict":"UNSAFE","certainty":"definite","rule":"\#(rule)","#
      + #""transition":"\#(transition)","order":0,"count":\#(count),"first_seq":41,"first_time_ns":5,"mm":1,"#
      + #""addr":"0x7f0000001000","pfn":77,"history":[{"seq":40,"time_ns":4,"pid":9,"today":"r D PAE-","text":"\#(text)"}]}"#
  }
}
