// SPDX-License-Identifier: GPL-2.0-only

import Replay

/// The frame around the steps: processes that wait for their turn, and one more that gives the turns.
struct ProgramText {
  private let scenario: LitmusScenario
  private let steps: ProgramSteps

  init(_ scenario: LitmusScenario, _ steps: ProgramSteps) { (self.scenario, self.steps) = (scenario, steps) }

  var text: String {
    ([head, Self.basics, turns, helpers, perform, Self.serve, needs, main].filter { !$0.isEmpty })
      .joined(separator: "\n\n") + "\n"
  }

  private var head: String {
    """
    // SPDX-License-Identifier: GPL-2.0-only
    /*
     * \(comment(scenario.id + ": " + scenario.title))
     *
     * Written by `cowscope litmus --program`. Every process of the story waits for its turn; one that has no part in
     * it gives the turns, and marks in the trace where a step ended. Exit status: 0 done; 1 a step went otherwise;
     * 77 this host cannot do it. Compile with: gcc -Wall
     */
    #define _GNU_SOURCE
    #include <errno.h>
    #include <fcntl.h>
    #include <poll.h>
    #include <setjmp.h>
    #include <signal.h>
    #include <stdint.h>
    #include <stdio.h>
    #include <stdlib.h>
    #include <string.h>
    #include <sys/mman.h>
    #include <sys/syscall.h>
    #include <sys/uio.h>
    #include <unistd.h>

    #ifndef MADV_COLLAPSE
    #define MADV_COLLAPSE 25
    #endif
    #ifndef MADV_GUARD_INSTALL
    #define MADV_GUARD_INSTALL 102
    #define MADV_GUARD_REMOVE 103
    #endif

    /* Page 0 of every process. */
    #ifndef BASE
    #define BASE 0x200000000000ul
    #endif
    /* Below it, what marks say: a page a process, then a page a step. Nothing is ever there. */
    #define MARKS (BASE - 0x\(String(StoryProgram.marksBelowBase, radix: 16))ul)
    #define MARKS_OF_PROCESSES \(StoryProgram.marksOfProcesses)
    """
  }

  private static let basics = """
    static int step; /* The one that is being done. */

    static unsigned long pages(long count) { return count * sysconf(_SC_PAGESIZE); }

    static __attribute__((unused)) char *at(long page) { return (char *)BASE + pages(page); }

    /* What follows in the trace comes after whatever this task did. */
    static void mark(long number) { madvise((char *)MARKS + pages(number), pages(1), MADV_DONTNEED); }
    """

  private var turns: String {
    let names = steps.processes.joined(separator: ", ")
    return """
      enum { \(names), PROCESSES };

      static int turn[PROCESSES][2], reports[2];
      static pid_t pids[PROCESSES];\(steps.helpers.contains(.reference) ? "\nstatic int held[2];" : "")

      struct report {
          int who, status;
          pid_t pid;
      };

      static void report(int who, int status)
      {
          struct report mine = {who, status, getpid()};
          if (write(reports[1], &mine, sizeof mine) != sizeof mine)
              _exit(1);
      }

      static void check(int holds, const char *what)
      {
          if (holds)
              return;
          fprintf(stderr, "step %d: %s: %s\\n", step, what, strerror(errno));
          report(-1, 1);
          _exit(1);
      }

      static __attribute__((unused)) void cannot_unless(int holds, const char *what)
      {
          if (holds)
              return;
          fprintf(stderr, "step %d: %s\\n", step, what);
          report(-1, 77);
          _exit(77);
      }

      #define ok(call) check((call) == 0, #call)
      #define fails(call) check((call) == -1, "unexpected success of " #call)

      static void begin(int who);
      """
  }

  private var helpers: String {
    ProgramHelper.allCases.filter(steps.helpers.contains).map(\.text).joined(separator: "\n\n")
  }

  private var perform: String {
    var lines = ["static void perform(void)", "{", "    switch (step) {"]
    for (number, step) in steps.steps.enumerated() {
      lines.append("    case \(number): /* \(comment(step.text)) */")
      lines += step.code.map { "        \($0)" }
      lines.append("        break;")
    }
    return (lines + ["    }", "}"]).joined(separator: "\n")
  }

  private static let serve = """
    /* The life of a process. */
    static void serve(int who)
    {
        for (int i = 0; i < PROCESSES; i++)
            close(turn[i][1]);
        mark(who);
        report(who, 0);
        while (read(turn[who][0], &step, sizeof step) == sizeof step) {
            perform();
            mark(who);
            report(who, 0);
        }
        _exit(0);
    }

    static void begin(int who)
    {
        pid_t pid = fork();
        check(pid >= 0, "fork");
        if (pid == 0)
            serve(who);
    }
    """

  private var needs: String {
    var lines: [String] = []
    let order = steps.needs.order
    if order > 0 {
      lines.append("    cannot_unless(is_on(\(4 << order)), \"hugepages-\(4 << order)kB is off\");")
      lines += (order + 1..<10).map { 4 << $0 }.map {
        "    cannot_unless(!is_on(\($0)), \"hugepages-\($0)kB is on, and larger\");"
      }
    }
    if steps.needs.swap {
      lines.append("    cannot_unless(has_swap(), \"no swap\");")
    }
    guard !lines.isEmpty else { return "" }
    return [
      order > 0 ? Self.isOn : "", steps.needs.swap ? Self.hasSwap : "",
      (["static void look_at_host(void)", "{"] + lines + ["}"]).joined(separator: "\n"),
    ].filter { !$0.isEmpty }.joined(separator: "\n\n")
  }

  private static let isOn = """
    static int says(const char *path, const char *word)
    {
        char text[256] = "";
        FILE *file = fopen(path, "r");
        int found = file && fgets(text, sizeof text, file) && strstr(text, word);
        if (file)
            fclose(file);
        return found;
    }

    /* A program may ask for large folios of that size. */
    static int is_on(int kilobytes)
    {
        char path[128];
        const char *all = "/sys/kernel/mm/transparent_hugepage/enabled";
        snprintf(path, sizeof path, "/sys/kernel/mm/transparent_hugepage/hugepages-%dkB/enabled", kilobytes);
        if (says(path, "[inherit]") || (kilobytes == 2048 && access(path, R_OK)))
            return says(all, "[madvise]") || says(all, "[always]");
        return says(path, "[madvise]") || says(path, "[always]");
    }
    """

  private static let hasSwap = """
    static int has_swap(void)
    {
        char line[256] = "";
        int lines = 0;
        FILE *file = fopen("/proc/swaps", "r");
        while (file && fgets(line, sizeof line, file))
            lines++;
        if (file)
            fclose(file);
        return lines > 1;
    }
    """

  private var main: String {
    let table = steps.steps.map { step in
      let begun: String
      if case .begins(let process) = step.effect { begun = process } else { begun = "-1" }
      return "    {\(step.actor ?? "-1"), \(begun), \(step.effect == .ends ? 1 : 0)},"
    }
    let looks = steps.needs == StoryProgram.Needs() ? "" : "\n        look_at_host();"
    let holds = steps.helpers.contains(.reference) ? "\n        check(pipe2(held, O_CLOEXEC) == 0, \"pipe\");" : ""
    return """
      /* Whose turn it is (-1: nobody's but ours), who comes into being, and whether the one whose turn it is ends. */
      static const struct {
          int who, begins, ends;
      } steps[] = {
      \(table.joined(separator: "\n"))
      };

      /* Until that many have reported. */
      static void await(int count)
      {
          struct report news;
          while (count-- > 0) {
              if (read(reports[0], &news, sizeof news) != sizeof news || news.who < 0) {
                  for (int i = 0; i < PROCESSES; i++)
                      if (pids[i] > 0)
                          kill(pids[i], SIGKILL);
                  exit(news.who < 0 ? news.status : 1);
              }
              pids[news.who] = news.pid;
          }
      }

      static void await_end(int who, int number)
      {
          struct pollfd gone = {syscall(SYS_pidfd_open, pids[who], 0), POLLIN, 0};
          check(gone.fd >= 0, "pidfd_open");
          if (number >= 0)
              check(write(turn[who][1], &number, sizeof number) == sizeof number, "turn");
          else
              close(turn[who][1]);
          check(poll(&gone, 1, 60000) == 1, "the end of a process");
          close(gone.fd);
          pids[who] = 0;
      }

      int main(void)
      {
          for (int i = 0; i < PROCESSES; i++)
              check(pipe2(turn[i], O_CLOEXEC) == 0, "pipe");
          check(pipe2(reports, O_CLOEXEC) == 0, "pipe");\(holds)\(looks)
          check(mmap((char *)MARKS, pages(1024), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0)
                    == (char *)MARKS, "mmap");
          for (int number = 0; number < (int)(sizeof steps / sizeof *steps); number++) {
              step = number;
              if (steps[number].who < 0) {
                  perform();
              } else if (steps[number].ends) {
                  await_end(steps[number].who, number);
              } else {
                  check(write(turn[steps[number].who][1], &number, sizeof number) == sizeof number, "turn");
              }
              if (!steps[number].ends)
                  await((steps[number].who >= 0) + (steps[number].begins >= 0));
              mark(MARKS_OF_PROCESSES + number);
          }
          for (int i = 0; i < PROCESSES; i++)
              if (pids[i] > 0)
                  await_end(i, -1);
          return 0;
      }
      """
  }

  private func comment(_ text: String) -> String { text.replacing("*/", with: "* /") }
}
