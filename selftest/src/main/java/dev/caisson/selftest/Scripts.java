package dev.caisson.selftest;

import java.util.Map;

/// The attackers' and the neighbours' programs, in Perl, which can make any system call and is part of
/// every Debian.
final class Scripts {
    /// Numbers of system calls by architecture: asm-generic/unistd.h and syscall_64.tbl.
    private static final Map<String, Integer> X86_64 = Map.ofEntries(
            Map.entry("INOTIFY_INIT1", 294),
            Map.entry("INOTIFY_ADD_WATCH", 254),
            Map.entry("ADD_KEY", 248),
            Map.entry("TIMER_CREATE", 222),
            Map.entry("MQ_OPEN", 240),
            Map.entry("MSGGET", 68),
            Map.entry("UNSHARE", 272),
            Map.entry("MOUNT", 165),
            Map.entry("RT_SIGQUEUEINFO", 129),
            Map.entry("PRLIMIT64", 302),
            Map.entry("SETSOCKOPT", 54),
            Map.entry("PRCTL", 157),
            Map.entry("IO_SETUP", 206),
            Map.entry("MEMFD_SECRET", 447));
    private static final Map<String, Integer> AARCH64 = Map.ofEntries(
            Map.entry("INOTIFY_INIT1", 26),
            Map.entry("INOTIFY_ADD_WATCH", 27),
            Map.entry("ADD_KEY", 217),
            Map.entry("TIMER_CREATE", 107),
            Map.entry("MQ_OPEN", 180),
            Map.entry("MSGGET", 186),
            Map.entry("UNSHARE", 97),
            Map.entry("MOUNT", 40),
            Map.entry("RT_SIGQUEUEINFO", 138),
            Map.entry("PRLIMIT64", 261),
            Map.entry("SETSOCKOPT", 208),
            Map.entry("PRCTL", 167),
            Map.entry("IO_SETUP", 0),
            Map.entry("MEMFD_SECRET", 447));

    /// `stopped(N, WHY)` tells how far an attacker came, and holds what it has while the neighbours are
    /// looked at.
    private static final String PRELUDE = """
            $| = 1; my $n = 0;
            sub stopped { print "$_[0] $_[1]\\n"; select(undef, undef, undef, 0.6); exit 0 }
            """;

    /// Runs what a container or a user of the host does in peace: a little of everything that an attacker may
    /// use up.
    static final String NEIGHBOUR = """
            use IO::Handle; my @children;
            for (1 .. 8) { my $p = fork; defined $p or die "fork: $!"; exit 0 unless $p; push @children, $p }
            waitpid $_, 0 for @children;
            my $memory = "x" x (16 << 20);
            open my $file, ">", "/tmp/neighbour-$$" or die "open: $!"; unlink "/tmp/neighbour-$$";
            (syswrite($file, "x" x 1048576) // 0) == 1048576 or die "write: $!";
            $file->sync or die "sync: $!";
            my @files; for (1 .. 200) { open my $f, "<", "/dev/null" or die "descriptor $_: $!"; push @files, $f }
            my $inotify;
            for (1 .. 32) { ($inotify = syscall(INOTIFY_INIT1, 0)) >= 0 or die "inotify $_: $!" }
            my $place = "/tmp";
            syscall(INOTIFY_ADD_WATCH, $inotify, $place, 0xfff) >= 0 or die "watch: $!";
            open my $own, "<", "/usr/bin/perl" or die "perl: $!"; flock($own, 5) or die "lock: $!";
            sysopen my $program, "/usr/bin/env", 2048 or die "env: $!"; flock($program, 5) or die "lock of env: $!";
            use Socket; socket my $udp, PF_INET, SOCK_DGRAM, 0 or die "udp: $!";
            bind $udp, sockaddr_in(0, INADDR_LOOPBACK) or die "udp: $!"; send $udp, "x", 0, getsockname $udp or die "udp: $!";
            my $seen = ""; vec($seen, fileno $udp, 1) = 1; select($seen, undef, undef, 5) == 1 or die "udp: nothing comes";
            my $timer = "\\0" x 8;
            for (1 .. 100) { syscall(TIMER_CREATE, 1, 0, $timer) == 0 or die "timer $_: $!" }
            print "ok\\n";
            """;

    static final String FORK_BOMB = """
            while (1) { my $p = fork; stopped($n, $!) unless defined $p; unless ($p) { sleep 30; exit } $n++ }
            """;
    static final String DENIALS = """
            for (1 .. 8) { unless (fork) { syscall(MOUNT, 0, 0, 0, 0, 0) while 1 } } sleep 60;
            """;

    /// Runs a neighbour whose denied calls are answered and reported.
    static final String DENIED_NEIGHBOUR = """
            for (1 .. 16) { syscall(MOUNT, 0, 0, 0, 0, 0) } print "$!\\n";
            """;

    static final String MEMORY_HOG = """
            my @all; while (1) { push @all, "x" x 1048576; $n++; print "$n MiB\\n" if $n % 64 == 0 }
            """;
    static final String PAGE_CACHE_HOG = """
            my @directories = ("/usr/lib", "/usr/share"); my $began = time;
            while (my $d = shift @directories) {
              opendir my $h, $d or next;
              for (readdir $h) {
                my $path = "$d/$_";
                next if /^[.][.]?$/ || -l $path;
                if (-d _) { push @directories, $path; next }
                next unless -f _ && open my $f, "<", $path;
                my ($got, $bytes); while ($got = sysread $f, $bytes, 1 << 20) { $n += $got }
              }
              last if $n > 3 << 30 || time - $began > 5;
            }
            stopped($n >> 20, "MiB read");
            """;
    /// Four processes write their files over and over, and wait for the disk each time.
    static final String IO_HOG = """
            use IO::Handle; my $began = time; my $mib = "x" x 1048576; my ($out, $in); pipe $in, $out or die "pipe: $!";
            for my $i (1 .. 4) {
              next if fork;
              open my $f, ">", "/tmp/hog$i" or die "open: $!"; my $mine = 0;
              while (time - $began < 5) {
                sysseek $f, 0, 0;
                for (1 .. 16) { (syswrite($f, $mib) // 0) == 1048576 or die "write: $!"; $mine++ }
                $f->sync or die "sync: $!";
              }
              syswrite $out, "$mine\n"; exit 0;
            }
            close $out; while (<$in>) { $n += $_ }
            stopped($n, "MiB written and synchronized");
            """;
    static final String FILL = """
            open my $f, ">", "PLACE/fill" or stopped(0, $!); my $mib = "x" x 1048576;
            while (1) { defined syswrite($f, $mib) or stopped($n, $!); $n++ }
            """;
    static final String INODES = """
            while (1) { open my $f, ">", "/tmp/f$n" or stopped($n, $!); $n++ }
            """;
    static final String OUTPUT = """
            my $bytes = "x" x 65536; while (1) { syswrite STDOUT, $bytes }
            """;
    static final String DESCRIPTORS = """
            for (my $most = 1 << 20; $most > 1024; $most /= 2) {
              my $limit = pack "QQ", $most, $most; last if syscall(PRLIMIT64, 0, 7, $limit, 0) == 0;
            }
            my @all; while (1) { open my $f, "<", "/dev/null" or stopped(scalar @all, $!); push @all, $f }
            """;
    static final String INOTIFY_INSTANCES = """
            while (1) { syscall(INOTIFY_INIT1, 0) < 0 and stopped($n, $!); $n++ }
            """;
    static final String INOTIFY_WATCHES = """
            my $inotify = syscall(INOTIFY_INIT1, 0);
            while (1) {
              my $place = "/tmp/w$n"; mkdir $place or stopped($n, $!);
              syscall(INOTIFY_ADD_WATCH, $inotify, $place, 0xfff) < 0 and stopped($n, $!); $n++;
            }
            """;
    static final String KEYS = """
            my ($type, $secret) = ("user", "secret");
            while ($n < 100000) {
              my $name = "key$n"; syscall(ADD_KEY, $type, $name, $secret, 6, -3) < 0 and stopped($n, $!); $n++;
            }
            """;
    static final String TIMERS = """
            my $timer = "\\0" x 8; while ($n < 200000) { syscall(TIMER_CREATE, 1, 0, $timer) < 0 and stopped($n, $!); $n++ }
            """;
    static final String SIGNALS = """
            use POSIX (); POSIX::sigprocmask(POSIX::SIG_BLOCK, POSIX::SigSet->new(40));
            my $info = pack "iii", 40, 0, -1; $info .= "\\0" x (128 - length $info);
            while ($n < 200000) { syscall(RT_SIGQUEUEINFO, $$ + 0, 40, $info) < 0 and stopped($n, $!); $n++ }
            """;
    static final String POSIX_QUEUES = """
            while ($n < 100000) { my $name = "queue$n"; syscall(MQ_OPEN, $name, 66, 0600, 0) < 0 and stopped($n, $!); $n++ }
            """;
    static final String SYSV_QUEUES = """
            while ($n < 100000) { syscall(MSGGET, 0, 01600) < 0 and stopped($n, $!); $n++ }
            """;
    static final String NAMESPACES = """
            for my $flag (0x10000000, 0x40000000, 0x00020000, 0x08000000, 0x04000000, 0x20000000) {
              $n++ if syscall(UNSHARE, $flag) == 0;
            }
            stopped($n, $!);
            """;
    static final String MOUNTS = """
            my ($what, $where, $type) = ("none", "/tmp", "tmpfs");
            while ($n < 100000) { syscall(MOUNT, $what, $where, $type, 0, 0) < 0 and stopped($n, $!); $n++ }
            """;
    static final String KERNEL_SETTINGS = """
            for my $file ("/proc/sysrq-trigger", "/proc/sys/kernel/core_pattern", "/proc/sys/vm/drop_caches",
                "/proc/sys/fs/file-max", "/proc/sys/kernel/panic", "/sys/power/state", "/sys/kernel/mm/ksm/run") {
              $n++ if open my $f, ">>", $file;
            }
            stopped($n, $!);
            """;
    static final String HOST_FILES = """
            for my $d ("/usr", "/usr/bin", "/usr/lib", "/sys/fs/cgroup") { $n++ if open my $f, ">", "$d/caisson-selftest" }
            stopped($n, $!);
            """;
    /// Each file once: to open a second time what one has leased would be to wait for oneself. A neighbour opens one of
    /// them without waiting.
    static final String LEASES = """
            my (@all, %known); $SIG{IO} = "IGNORE";
            for my $path (</usr/bin/* /usr/sbin/*>) {
              next unless -f $path && !$known{(stat _)[1]}++ && open my $f, "<", $path;
              flock $f, 6; fcntl $f, 1024, 1; push @all, $f;
            }
            select(undef, undef, undef, 2); stopped(scalar @all, "files leased or locked");
            """;
    static final String SOCKET_FILTERS = """
            my $code = pack("SCCL", 6, 0, 0, 0) x 4096; my $filter = pack "SxxxxxxP", 4096, $code; my @all;
            while ($n < 20000) {
              socket my $s, 1, 2, 0 or stopped($n, $!); push @all, $s;
              syscall(SETSOCKOPT, fileno($s), 1, 26, $filter, 16) < 0 and stopped($n, $!); $n++;
            }
            """;
    /// Loads as many filters as a process may have, in as many processes as there may be.
    static final String FILTERS = """
            my $code = (pack("SCCL", 0, 0, 0, 7) x 4095) . pack "SCCL", 6, 0, 0, 0x7fff0000;
            my $filter = pack "SxxxxxxP", 4096, $code; my ($out, $in); pipe $in, $out or die "pipe: $!";
            while (1) {
              my $p = fork; defined $p or last;
              unless ($p) {
                my $own = 0; $own++ while $own < 100 && syscall(PRCTL, 22, 2, $filter, 0, 0) == 0;
                syswrite $out, pack "L", $own; sleep 30; exit;
              }
              my $got; sysread $in, $got, 4; $n += unpack "L", $got;
            }
            stopped($n, "filters");
            """;
    static final String SOCKET_BUFFERS = """
            use Socket; use Fcntl; my @all; my $mib = "x" x 1048576; my $bytes = 0;
            socket my $l, PF_INET, SOCK_STREAM, 0 or stopped(0, $!); bind $l, sockaddr_in(0, INADDR_LOOPBACK) or stopped(0, $!);
            listen $l, 128 or stopped(0, $!);
            for (1 .. 450) {
              socket my $s, PF_INET, SOCK_STREAM, 0 or last; connect $s, getsockname $l or last; accept my $a, $l or last;
              push @all, $s, $a;
              for my $end ($s, $a) {
                fcntl $end, F_SETFL, O_NONBLOCK; my $sent; $bytes += $sent while $sent = syswrite $end, $mib;
              }
            }
            stopped($bytes >> 20, "MiB in sockets");
            """;
    static final String FILE_LOCKS = """
            my $lines = 0; open my $locks, "<", "/proc/locks" or stopped(0, $!); $lines++ while <$locks>;
            stopped($lines, "lines of the host's locks");
            """;
    static final String TERMINALS = """
            my @all; while (1) { open my $t, "+<", "/dev/ptmx" or stopped(scalar @all, $!); push @all, $t }
            """;
    static final String AIO_CONTEXTS = """
            my $context;
            while ($n < 100000) {
              $context = "\\0" x 8; syscall(IO_SETUP, 1, $context) < 0 and stopped($n, $!); $n++;
            }
            """;
    static final String SECRET_MEMORY = """
            while ($n < 4000) { syscall(MEMFD_SECRET, 0) < 0 and stopped($n, $!); $n++ }
            """;
    static final String NAMES = """
            my $began = time; while ($n < 400000 && time - $began < 5) { stat "/usr/lib/none-$n"; $n++ }
            stopped($n, "names looked up");
            """;
    static final String CPU_HOG = """
            for (1 .. 7) { last unless fork } while (1) {}
            """;
    static final String CPU_NEIGHBOUR = """
            while (1) {}
            """;

    private Scripts() {}

    /// A script that can be run here.
    static String attacker(String script) {
        return PRELUDE + numbered(script);
    }

    /// The constants of a script as numbers.
    static String numbered(String script) {
        String text = script;
        Map<String, Integer> numbers = System.getProperty("os.arch").equals("aarch64") ? AARCH64 : X86_64;
        for (Map.Entry<String, Integer> call : numbers.entrySet()) {
            text = text.replace("syscall(" + call.getKey() + ",", "syscall(" + call.getValue() + ",");
        }
        return text;
    }
}
