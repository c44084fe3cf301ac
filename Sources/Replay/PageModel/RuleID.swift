// SPDX-License-Identifier: GPL-2.0-only

/// The name of a rule, under which reports file what breaks it: those of the kernel, then those that define an encoding.
package enum RuleID: String, Sendable, CaseIterable, BitwiseCopyable {
  case i1 = "I1"
  case i2 = "I2"
  case i3 = "I3"
  case i4 = "I4"
  case i5 = "I5"
  case i6 = "I6"
  case i7 = "I7"
  case i8 = "I8"
  case i9 = "I9"
  case i10 = "I10"
  case i11 = "I11"
  case i12 = "I12"
  case i13 = "I13"
  case i14 = "I14"
  case i15 = "I15"
  case i16 = "I16"
  case a1 = "A1"
  case b1 = "B1"
  case b2 = "B2"
  case b3 = "B3"
  case c1 = "C1"
  case c2 = "C2"
  case c3 = "C3"
}
