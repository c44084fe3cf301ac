# SPDX-License-Identifier: GPL-2.0-only
"""Programs to record: shells, databases, compilers, runtimes, tools, servers; each a few seconds of work."""
import contextlib
import os
import shutil
import subprocess
import tempfile

PATHS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "paths.c")
POOL = "/proc/sys/vm/nr_hugepages"


class Workload:
    """`command` runs in an empty directory by sh. `needs`: programs it calls. `megabytes`: of memory, in a cgroup."""

    def __init__(self, name, command, needs, packages=None, megabytes=24):
        self.name, self.command, self.needs, self.megabytes = name, command, needs.split(), megabytes
        self.packages = self.needs if packages is None else packages.split()

    def is_there(self):
        return all(shutil.which(program) for program in self.needs)

    @contextlib.contextmanager
    def prepared(self):
        with tempfile.TemporaryDirectory(prefix="cowscope-survey-") as place:
            yield place


class Path(Workload):
    """A path of the kernel that paths.c takes. `huge`: pages that hugetlb's pool needs for it."""

    def __init__(self, name, huge=0):
        super().__init__("path-" + name, "./paths %s 6" % name, "gcc", "gcc libc6-dev", megabytes=8)
        self.huge = huge

    @contextlib.contextmanager
    def prepared(self):
        with super().prepared() as place, pool(self.huge):
            subprocess.run(["gcc", "-O1", "-pthread", "-o", place + "/paths", PATHS], check=True)
            yield place


@contextlib.contextmanager
def pool(pages):
    """So many huge pages more; what there was comes back."""
    if not pages:
        yield
        return
    with open(POOL) as file:
        before = int(file.read())
    try:
        with open(POOL, "w") as file:
            file.write(str(before + pages))
        yield
    finally:
        with open(POOL, "w") as file:
            file.write(str(before))


SQL = "create table t(a integer primary key, b text); with recursive n(i) as (select 1 union all select i + 1 from n " \
      "where i < 150000) insert into t select i, hex(randomblob(40)) from n; create index x on t(b); " \
      "select count(*) from t where b > '8'; delete from t where a % 3 = 0; vacuum;"
C_FILE = "for i in $(seq 12); do printf '#include <stdio.h>\\n#include <stdlib.h>\\n#include <string.h>\\n" \
         "int f%d(void) { return printf(\"%d\"); }\\n' $i $i >f$i.c; done; "
LUA = "local t = {} for i = 1, 300000 do t[i] = {tostring(i)} end for r = 1, 5 do for i = 1, #t, 2 do " \
      "t[i] = {t[i][1] .. r} end collectgarbage() end"
TCL = "for {set i 0} {$i < 200000} {incr i} {lappend l [string repeat a [expr {$i % 97}]]}; puts [llength [lsort $l]]"
GUILE = "(let loop ((i 0) (l '())) (if (< i 400000) (loop (+ i 1) (cons (number->string i) l)) (begin " \
        "(waitpid (let ((p (primitive-fork))) (if (= p 0) (begin (sort l string<?) (primitive-exit 0)) p))) (sort l string<?))))"
JAVA = "printf 'public class A { public static void main(String[] a) throws Exception { java.util.List<int[]> l = new " \
       "java.util.ArrayList<>(); for (int i = 0; i < 3000; i++) { l.add(new int[4000]); if (l.size() > 900) l.clear(); } " \
       "for (int i = 0; i < 8; i++) new ProcessBuilder(\"true\").start().waitFor(); } }' >A.java; java -Xmx64m A.java"
SBCL = "(require :sb-posix) (let ((l (loop for i below 400000 collect (format nil \"~a\" i)))) (dotimes (k 4) (let ((p " \
       "(sb-posix:fork))) (if (= p 0) (progn (sort (copy-list l) #'string<) (sb-ext:exit :abort t)) (sb-posix:waitpid p 0)))) (print (length l)))"
OCAML = "let rec go i l = if i = 0 then l else go (i - 1) (string_of_int i :: l);; let l = go 400000 [];; for k = 1 to 4 do " \
        "match Unix.fork () with 0 -> ignore (List.sort compare l); exit 0 | p -> ignore (Unix.waitpid [] p) done;;"
NODE = "const c = require('child_process'); let a = []; for (let i = 0; i < 300000; i++) a.push({i, s: 'x' + i}); for (let k = 0; " \
       "k < 6; k++) c.execFileSync('true'); a.sort((x, y) => x.s < y.s ? 1 : -1)"
EMACS = "(let (l) (dotimes (i 200000) (push (number-to-string i) l)) (sort l #'string<) (call-process \"true\") (garbage-collect))"
R = "x <- matrix(runif(1e6), 1000); y <- parallel::mclapply(1:4, function(i) { x[i, ] <- 0; sum(x) }, mc.cores = 2); print(length(y))"
NGINX = "mkdir l; printf 'worker_processes 4; pid p; error_log e; daemon on; events {} http { access_log a; server { listen " \
        "127.0.0.1:18080; root /usr/share; } }' >c; nginx -p $PWD -c c; for i in $(seq 300); do curl -s -o o " \
        "http://127.0.0.1:18080/doc/base-files/README; done; nginx -p $PWD -c c -s reload; sleep 0.5; nginx -p $PWD -c c -s quit; sleep 0.5"
MEMCACHED = "memcached -u nobody -l 127.0.0.1 -p 18081 -m 64 & p=$!; sleep 0.5; python3 -c \"import socket\ns = socket.create_connection(" \
            "('127.0.0.1', 18081))\nfor i in range(20000): s.sendall(b'set k%d 0 0 1000 noreply\\r\\n' % i + b'x' * 1000 + b'\\r\\n')\"; kill $p; wait"
IOURING = "fio --name=a --size=16m --rw=randrw --ioengine=io_uring --direct=1 --bs=4k --fixedbufs --numjobs=2 --runtime=3 " \
          "--time_based --output=o --thread=0"
DIRECT = IOURING.replace("io_uring", "psync").replace(" --fixedbufs", "")

APACHE = "printf 'ServerName x\\nListen 127.0.0.1:18090\\nPidFile %s/p\\nErrorLog %s/e\\nLoadModule mpm_prefork_module /usr/lib/apache2/modules/" \
         "mod_mpm_prefork.so\\nLoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so\\nDocumentRoot /usr/share/doc\\n' $PWD $PWD >c; a() { " \
         "/usr/sbin/apache2 -f $PWD/c -k $1; }; a start; sleep 0.5; ab -q -n 300 -c 8 http://127.0.0.1:18090/base-files/README >o; a graceful; sleep 0.5; " \
         "ab -q -n 100 -c 4 http://127.0.0.1:18090/base-files/README >o; a stop; sleep 0.7"
HAPROXY = "printf 'defaults\\n mode http\\n timeout connect 1s\\n timeout client 1s\\n timeout server 1s\\nfrontend a\\n bind 127.0.0.1:18091\\n http-request " \
          "return status 200\\n' >c; haproxy -W -f c -p p -D; for i in $(seq 60); do curl -s -o o http://127.0.0.1:18091/; done; kill -USR2 $(cat p); sleep 0.5; " \
          "for i in $(seq 20); do curl -s -o o http://127.0.0.1:18091/; done; kill $(cat p); sleep 0.3"

ALL = [
    Workload("sqlite", "sqlite3 d \"%s\"" % SQL, "sqlite3"),
    Workload("git", "git init -q r; cd r; for i in $(seq 40); do seq $i 3000 >f$i; git add .; git -c user.name=a -c user.email=a "
             "commit -qm $i; done; git gc -q --aggressive; git clone -q . ../c; git log --stat >/dev/null", "git"),
    Workload("make-gcc", C_FILE + "printf 'all: $(patsubst %%.c,%%.o,$(wildcard *.c))\\n' >Makefile; make -s -j4", "make gcc",
             "make gcc libc6-dev", megabytes=40),
    Workload("xz", "seq 900000 >f; xz -T2 -k -3 f; xz -dc f.xz | sha1sum", "xz", "xz-utils", megabytes=60),
    Workload("zstd", "seq 3000000 >f; zstd -q -T2 -9 f; zstd -q -dc f.zst | md5sum", "zstd", megabytes=60),
    Workload("tar-gzip", "tar cf - /usr/share/doc 2>/dev/null | head -c 60000000 | gzip -1 >f.gz; gzip -dc f.gz | tail -c 100 >/dev/null", "tar gzip", ""),
    Workload("sort", "seq 1500000 | shuf | sort -S 30M --parallel=2 -T . | uniq | wc -l", "sort", ""),
    Workload("gawk", "seq 800000 | gawk '{ a[$1 % 50000] = a[$1 % 50000] $1 } END { print length(a) } '; gawk 'BEGIN { for (i = 0; i < 60; i++) { \"echo \" i | getline x; close(\"echo \" i) } }'", "gawk"),
    Workload("dash", "i=0; while [ $i -lt 400 ]; do x=$(echo $i); (y=$x; :) ; i=$((i + 1)); done", "dash", ""),
    Workload("zsh", "zsh -c 'for i in {1..300}; do x=$(print $i); (y=$x); print $i | cat >/dev/null; done'", "zsh"),
    Workload("busybox", "busybox sh -c 'for i in $(busybox seq 400); do busybox echo $i | busybox md5sum >/dev/null; done'", "busybox"),
    Workload("lua", "lua5.4 -e '%s'" % LUA, "lua5.4", megabytes=40),
    Workload("tcl", "echo '%s; for {set i 0} {$i < 60} {incr i} {exec true}' | tclsh" % TCL, "tclsh", "tcl", megabytes=30),
    Workload("guile", "guile -c \"%s\"" % GUILE, "guile", "guile-3.0", megabytes=50),
    Workload("java", JAVA, "java", "default-jdk-headless", megabytes=120),
    Workload("sbcl", "sbcl --noinform --non-interactive --eval '%s'" % SBCL.replace("'", "'\\''"), "sbcl", megabytes=80),
    Workload("ocaml", "echo '%s' >a.ml; ocaml -I +unix unix.cma a.ml" % OCAML, "ocaml", megabytes=50),
    Workload("node", "node -e \"%s\"" % NODE, "node", "nodejs", megabytes=90),
    Workload("emacs", "emacs --batch --eval '%s'" % EMACS.replace("'", "'\\''"), "emacs", "emacs-nox", megabytes=40),
    Workload("r", "Rscript -e '%s'" % R, "Rscript", "r-base-core", megabytes=60),
    Workload("nginx", NGINX, "nginx curl", "nginx-light curl base-files"),
    Workload("memcached", MEMCACHED, "memcached python3", megabytes=30),
    Workload("rsync", "mkdir a; for i in $(seq 200); do seq $i 2000 >a/$i; done; rsync -a a/ b/; touch a/*; rsync -ac a/ b/", "rsync"),
    Workload("openssl", "openssl speed -multi 4 -seconds 1 -bytes 16384 sha256 2>/dev/null; openssl genrsa 2048 >k 2>/dev/null; openssl req -x509 -key k -subj /CN=a -out c", "openssl"),
    Workload("strace", "strace -f -o t sh -c 'for i in $(seq 40); do /bin/true; echo $i | cat; done'", "strace"),
    Workload("gdb", "gdb -q -batch -ex 'break write' -ex run -ex 'tbreak malloc' -ex continue -ex 'print $sp' -ex 'checkpoint' -ex continue -ex kill --args /bin/echo a", "gdb", megabytes=80),
    Workload("valgrind", "valgrind -q --trace-children=yes sh -c 'ls / >/dev/null; echo a | cat'", "valgrind", megabytes=120),
    Workload("imagemagick", "convert -size 1500x1500 plasma:red-blue -blur 0x3 -resize 50% a.png; convert a.png -negate b.jpg", "convert", "imagemagick", megabytes=60),
    Workload("ghostscript", "printf '%%!PS\\n1 1 400 { 72 mul 10 div dup moveto (x) 1 1 20 { pop 10 0 rlineto } for stroke } for showpage\\n' >a.ps; gs -q -dBATCH -dNOPAUSE -sDEVICE=png16m -r150 -sOutputFile=o.png a.ps", "gs", "ghostscript", megabytes=40),
    Workload("qemu-user", "qemu-x86_64-static /bin/busybox sh -c 'for i in 1 2 3 4 5 6 7 8; do (echo $i) | /bin/busybox md5sum; done'", "qemu-x86_64-static busybox", "qemu-user-static busybox-static", megabytes=40),
    Workload("fio-io_uring", IOURING, "fio", megabytes=60),
    Workload("fio-direct", DIRECT, "fio", megabytes=60),
    Workload("hackbench", "hackbench -P -g 2 -l 60; hackbench -T -g 2 -l 60", "hackbench", "rt-tests", megabytes=30),
    Workload("sysbench", "sysbench memory --threads=4 --time=2 run >o; sysbench mutex --threads=8 run >o", "sysbench"),
    Workload("vim", "seq 100000 >f; vim -es -u NONE -c '%s/1/22/g' -c '!true' -c 'g/3/d' -c wq f", "vim", "vim-tiny vim", megabytes=20),
    Workload("tmux", "tmux -L s -f /dev/null new-session -d 'seq 50000; sleep 1'; tmux -L s split-window 'seq 20000'; sleep 1; tmux -L s kill-server", "tmux"),
    Workload("multiprocessing", "python3 -c \"import multiprocessing as m\nwith m.Pool(4) as p: print(sum(p.map(len, [list(range(1000))] * 400)))\n"
             "with m.Manager() as g:\n  d = g.dict()\n  l = m.Lock()\n  q = [m.Process(target=lambda k: d.update({k: bytes(99999)}), args=(k,)) for k in range(6)]\n"
             "  [x.start() for x in q]; [x.join() for x in q]\"", "python3", "", megabytes=40),
    Workload("erlang", "erl -noshell -eval '[spawn(fun() -> lists:sort([rand:uniform(1000000) || _ <- lists:seq(1, 30000)]) end) || _ <- "
             "lists:seq(1, 8)], [os:cmd(\"true\") || _ <- lists:seq(1, 6)], timer:sleep(800), halt().'", "erl", "erlang-base", megabytes=60),
    Workload("pypy", "pypy3 -c \"import os\nl = [str(i) for i in range(300000)]\nfor k in range(5):\n  p = os.fork()\n  if p == 0:\n    l.sort(); os._exit(0)\n"
             "  l[k] = 'x'; os.waitpid(p, 0)\"", "pypy3", megabytes=60),
    Workload("swipl", "swipl -g 'numlist(1,200000,L),maplist([X,Y]>>(Y is X*X),L,M),msort(M,_),(member(_,[1,2,3,4]),fork(P),(P==child->msort(M,_),halt;"
             "wait(P,_)),fail;true)' -t halt", "swipl", "swi-prolog-nox", megabytes=40),
    Workload("luajit", "luajit -e 'local f=require(\"ffi\") f.cdef[[int fork(void);int wait(int*);void _exit(int);]] local t={} for i=1,200000 do t[i]={i} end "
             "for k=1,5 do if f.C.fork()==0 then for i=1,#t,2 do t[i]={k} end f.C._exit(0) end for i=1,#t,3 do t[i][1]=k end f.C.wait(nil) end'", "luajit"),
    Workload("proot", "proot -0 sh -c 'for i in 1 2 3 4 5; do ls / | wc -l; done'", "proot"),
    Workload("ltrace", "ltrace -f -o o sh -c 'for i in 1 2 3; do ls / | wc -l; done'", "ltrace"),
    Workload("fakeroot", "fakeroot sh -c 'for i in 1 2 3 4 5 6; do touch f$i; chown 0:0 f$i; done; tar c .' | gzip >o", "fakeroot"),
    Workload("gforth", "gforth -e 'here 4000000 allot 4000000 255 fill s\" true\" system s\" ls >/dev/null\" system bye'", "gforth"),
    Workload("clisp", "clisp -q -x '(let ((l (loop for i below 200000 collect (format nil \"~a\" i)))) (dotimes (k 4) (ext:shell \"true\") "
             "(sort (copy-list l) (function string<))) (length l))'", "clisp", megabytes=30),
    Workload("apache", APACHE, "apache2 ab", "apache2 apache2-utils", megabytes=40),
    Workload("haproxy", HAPROXY, "haproxy curl", megabytes=60),
    Workload("private-file", "python3 -c \"import mmap, os\nf = open('d', 'w+b'); f.truncate(8 << 20)\nm = mmap.mmap(f.fileno(), 8 << 20, flags=mmap.MAP_PRIVATE)\n"
             "for k in range(6):\n  for i in range(0, 8 << 20, 8192): m[i] = k\n  p = os.fork()\n  if p == 0:\n    for i in range(0, 8 << 20, 12288): m[i] = 2\n"
             "    os._exit(0)\n  os.waitpid(p, 0)\"", "python3", ""),
] + [
    Path(name) for name in ("dontunmap", "private-file", "advise-process", "debugger", "pipe", "registered", "lazyfree",
                            "not-forked", "holes", "threads", "soft-dirty", "generations")
] + [Path("huge-calls", huge=8)]
