// SPDX-License-Identifier: GPL-2.0-only

import Capture
import Foundation
import Pipeline
import Replay
import TestSupport
import Testing
import TraceFile

/// Work that faults, forks and copies for a while: a shell's arithmetic and its subshells.
private let forkingWork = ["sh", "-c", "i=0; while [ $i -lt 400 ]; do ( : ); i=$((i+1)); done"]

@Suite("record, on this host", .serialized, LiveHost.requirement)
struct RecordLiveTests {
  @Test("The command's exit status is record's", arguments: [(0, "exit 0"), (7, "exit 7"), (143, "kill -TERM $$")])
  func status(expected: Int32, script: String) throws {
    let work = try Scratch()
    let recorder = try LiveHost.record(["-o", "x.cow", "--", "sh", "-c", script], in: work)
    #expect(recorder.wait() == .exited(code: expected))
  }

  @Test("A finished capture has no mark and no raw files, and no instance stays")
  func finished() throws {
    let work = try Scratch()
    let recorder = try LiveHost.record(["-o", "x.cow", "--"] + forkingWork, in: work)
    #expect(recorder.wait() == .exited(code: 0))
    #expect(try work.names(in: "x.cow").sorted() == ["capture.json", "snapshots.bin", "trace.dat"])
    #expect(LiveHost.instances(of: recorder.pid).isEmpty)
    let reader = try TraceFile.open(work.path("x.cow"))
    #expect(reader.damages.isEmpty)
    #expect(reader.buffers.count == 2)
    let manifest = try #require(reader.capture?.manifest)
    #expect(manifest.commandStatus == .exited(code: 0))
    #expect(manifest.cpuStats.allSatisfy { $0.overrun == 0 && $0.dropped == 0 })
  }

  @Test("With --anonymize only what can be shared is kept, and the model agrees with the kernel on it")
  func anonymized() throws {
    let work = try Scratch()
    let recorder = try LiveHost.record(["--anonymize", "-o", "x.cow", "--"] + forkingWork, in: work)
    #expect(recorder.wait() == .exited(code: 0))
    #expect(!work.exists("x.cow.recorded"))
    #expect(try work.names(in: "x.cow").sorted() == ["capture.json", "snapshots.bin", "trace.dat"])
    let result = try Analysis(path: work.path("x.cow")).replay()
    #expect(result.verification.decisions.agree > 400 && result.verification.decisions.disagree == 0)
    #expect(!(try work.read("x.cow/capture.json")).contains("while"))
  }

  @Test("The command's own execve is in the trace")
  func execve() throws {
    let work = try Scratch()
    let recorder = try LiveHost.record(["-o", "x.cow", "--", "true"], in: work)
    #expect(recorder.wait() == .exited(code: 0))
    let reader = try TraceFile.open(work.path("x.cow"))
    let command = try #require(reader.capture?.manifest?.followedPIDs.first)
    #expect(try tasks(of: "sys_enter_execve", in: reader).contains(command))
    #expect(try tasks(of: "sched_process_exec", in: reader).contains(command))
  }

  @Test("Signals end a recording normally", arguments: [SIGINT, SIGTERM, SIGHUP])
  func signals(signal: Int32) throws {
    let work = try Scratch()
    let recorder = try LiveHost.record(["-o", "x.cow", "--", "sleep", "60"], in: work)
    try LiveHost.awaitTracing(by: recorder.pid)
    kill(recorder.pid, signal)
    // Twice, as an impatient person does.
    kill(recorder.pid, signal)
    #expect(recorder.wait() == .exited(code: 0))
    #expect(!work.exists("x.cow/incomplete"))
    #expect(LiveHost.instances(of: recorder.pid).isEmpty)
  }

  @Test("A reader of stderr that goes away ends nothing")
  func brokenPipe() throws {
    let work = try Scratch()
    // `true` reads nothing: each line written to the pipe raises SIGPIPE.
    let script = "{ \"$0\" record -o x.cow -- sleep 0.2; echo $? >status; } 2>&1 | true"
    #expect(try LiveHost.run(["sh", "-c", script, try LiveHost.binary()], in: work).wait() == .exited(code: 0))
    #expect(try work.read("status") == "0\n")
    #expect(!work.exists("x.cow/incomplete"))
  }

  @Test("What a killed recorder leaves is readable, and its instances go")
  func killed() throws {
    let work = try Scratch()
    let recorder = try LiveHost.record(
      ["-o", "x.cow", "--", "sh", "-c", "while :; do ( : ); done & P=$!; sleep 2; kill $P"], in: work)
    let pid = recorder.pid
    try LiveHost.awaitTracing(by: pid)
    usleep(1_200_000)
    kill(pid, SIGKILL)
    #expect(recorder.wait() == .signaled(signal: SIGKILL))
    #expect(work.exists("x.cow/incomplete"))
    #expect(LiveHost.areGone(instancesOf: pid))
    let reader = try TraceFile.open(work.path("x.cow"))
    #expect(reader.capture?.isFinished == false)
    #expect(!(try tasks(of: "mm_page_alloc", in: reader)).isEmpty)
    #expect(reader.damages.isEmpty)
  }

  @Test("When the watchdog is killed too, the instances are removed by whoever records next: four at once")
  func killedWithWatchdog() throws {
    let work = try Scratch()
    let recorder = try LiveHost.record(["-o", "x.cow", "--", "sleep", "1"], in: work)
    try LiveHost.awaitTracing(by: recorder.pid)
    let children = FollowedTree.children(of: recorder.pid)
    let watchdog = try #require(
      children.first { (try? String(contentsOfFile: "/proc/\($0)/comm", encoding: .utf8)) == "cowscope-watch\n" })
    kill(watchdog, SIGKILL)
    kill(recorder.pid, SIGKILL)
    #expect(recorder.wait() == .signaled(signal: SIGKILL))
    #expect(LiveHost.instances(of: recorder.pid).count == 2)
    let next = try (1...4).map { try LiveHost.record(["--buffer", "2", "-o", "y\($0).cow", "--", "true"], in: work) }
    for one in next { #expect(one.wait() == .exited(code: 0)) }
    #expect(LiveHost.instances(of: recorder.pid).isEmpty)
  }

  @Test("A recorder killed while it stops processes leaves none stopped")
  func killedWhileFreezing() throws {
    let work = try Scratch()
    for _ in 0..<5 {
      // Stopped nearly all the time.
      let recorder = try LiveHost.record(
        ["-o", "x.cow", "--buffer", "2", "--freeze", "--snapshot-every", "1", "--", "sh", "-c", "while :; do :; done"],
        in: work)
      try LiveHost.awaitTracing(by: recorder.pid)
      let command = try #require(
        FollowedTree.children(of: recorder.pid).first {
          (try? String(contentsOfFile: "/proc/\($0)/comm", encoding: .utf8)) != "cowscope-watch\n"
        })
      defer { kill(command, SIGKILL) }
      usleep(UInt32.random(in: 0..<100_000))
      kill(recorder.pid, SIGKILL)
      #expect(recorder.wait() == .signaled(signal: SIGKILL))
      #expect(LiveHost.areGone(instancesOf: recorder.pid))
      let stat = try String(contentsOfFile: "/proc/\(command)/stat", encoding: .utf8)
      #expect(ProcessStat.state(in: stat) != "T")
    }
  }

  @Test("A second recorder of the same name is refused, and the first is not disturbed")
  func sameName() throws {
    let work = try Scratch()
    let first = try LiveHost.record(["-o", "x.cow", "--", "sleep", "0.5"], in: work)
    try LiveHost.awaitTracing(by: first.pid)
    let second = try LiveHost.record(["-o", "x.cow", "--", "true"], in: work)
    #expect(second.wait() == .exited(code: 1))
    #expect(try work.read("stderr") == "cowscope: x.cow: in use by another recorder\n")
    #expect(first.wait() == .exited(code: 0))
    #expect(try TraceFile.open(work.path("x.cow")).capture?.isFinished == true)
  }

  @Test("What somebody else does to a running instance is noticed")
  func interference() throws {
    let work = try Scratch()
    let recorder = try LiveHost.record(["-o", "x.cow", "--", "sleep", "0.5"], in: work)
    try LiveHost.awaitTracing(by: recorder.pid)
    let host = "cowscope-\(recorder.pid)-host"
    try KernelText.write("0", to: "\(LiveHost.instances)/\(host)/tracing_on")
    #expect(recorder.wait() == .exited(code: 1))
    let manifest = try CaptureManifest.read(work.path("x.cow/capture.json"))
    #expect(manifest.interference == ["\(host) was switched off"])
  }

  @Test("The command runs as the user that called sudo", arguments: [(["SUDO_UID=65534"], "65534"), ([], "0")])
  func user(environment: [String], expected: String) throws {
    let work = try Scratch()
    let record = [try LiveHost.binary(), "record", "-o", "x.cow", "id", "-u"]
    #expect(try LiveHost.run(["env", "-u", "SUDO_UID"] + environment + record, in: work).wait() == .exited(code: 0))
    #expect(try work.read("stdout") == expected + "\n")
  }

  @Test("No sub-buffer is half empty but the last of each CPU")
  func subBuffers() throws {
    let work = try Scratch()
    let recorder = try LiveHost.record(["-o", "x.cow", "--"] + forkingWork, in: work)
    #expect(recorder.wait() == .exited(code: 0))
    let reader = try TraceFile.open(work.path("x.cow"))
    let size = try #require(reader.buffers.first).subBufferSize
    let manifest = try #require(reader.capture?.manifest)
    let data = try Data(contentsOf: URL(fileURLWithPath: work.path("x.cow/trace.dat")), options: .alwaysMapped)
    // The areas stand one after the other at the end of the file, in the order of the manifest.
    var offset = data.count - manifest.cpuStats.reduce(0) { $0 + Int($1.bytes) }
    for area in manifest.cpuStats {
      let commits = stride(from: offset, to: offset + Int(area.bytes), by: size).map { commit(in: data, at: $0) }
      offset += Int(area.bytes)
      #expect(commits.dropLast().allSatisfy { $0 > size * 9 / 10 }, "\(area.buffer) cpu \(area.cpu)")
    }
  }

  @Test("Without a way to name tracefs files, one sentence and status 1")
  func unprivileged() throws {
    let work = try Scratch()
    // A copy where every user can reach it. By another process: what a test beside this one starts meanwhile would have
    // our descriptor of the copy, and while it is open for writing nobody can execute it (ETXTBSY).
    let copy = work.path("cowscope")
    #expect(try LiveHost.run(["cp", try LiveHost.binary(), copy], in: work).wait() == .exited(code: 0))
    let command = [
      "setpriv", "--reuid=65534", "--clear-groups", copy, "record", "-o", work.path("x.cow"), "--", "true",
    ]
    #expect(try LiveHost.run(command, in: work).wait() == .exited(code: 1))
    let text = try work.read("stderr")
    #expect(text.split(separator: "\n").count == 1)
    #expect(text.contains("/sys/kernel/tracing/") && text.contains("root"))
    #expect(!work.exists("x.cow"))
  }

  /// The low bits of a sub-buffer's commit word.
  private func commit(in data: Data, at offset: Int) -> Int {
    (0..<4).reduce(0) { $0 | Int(data[offset + 8 + $1]) << (8 * $1) } & 0x7ff_ffff
  }
}

/// The tasks that made an event, from `common_pid`.
func tasks(of event: String, in reader: TraceReader) throws -> Set<Int32> {
  let format = try #require(try reader.formats.format(named: event))
  let pid = try #require(format.field("common_pid"))
  var tasks: Set<Int32> = []
  var batch = RecordBatch()
  reader.rewind()
  while reader.nextBatch(into: &batch) {
    for index in 0..<batch.count where batch[index].eventID == format.id {
      tasks.insert(Int32(truncatingIfNeeded: try #require(pid.loadInt64(from: batch[index]))))
    }
  }
  return tasks
}
