package dev.caisson.cli.audit;

import dev.caisson.engine.ContainerProcess;
import dev.caisson.engine.EngineOptions;
import dev.caisson.engine.KeptContainer;
import dev.caisson.engine.RunningContainer;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.scan.Leak;
import dev.caisson.scan.LeakScanner;
import dev.caisson.scan.ScanSink;
import dev.caisson.state.LogEntry;
import dev.caisson.state.LogReader;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;

/// Scans what a container of this machine shows: its variables, labels and command, those of its
/// processes, and its log.
final class ScanContainer {
    private static final int MOST_BYTES = 1 << 20;

    private final LeakScanner scanner;
    private final String name;
    private final ScanSink sink;
    private final Set<String> known = new HashSet<>();

    private ScanContainer(LeakScanner scanner, String name, ScanSink sink) {
        this.scanner = scanner;
        this.name = name;
        this.sink = sink;
    }

    /// Scans a container.
    /// @param name the beginning of its id, or its name
    /// @param shown by which places call it
    /// @throws dev.caisson.error.CaissonException if there is none
    static void scan(LeakScanner scanner, String name, String shown, EngineOptions directories, ScanSink sink)
            throws InterruptedException {
        KeptContainer container = KeptContainer.find(name, directories);
        var scan = new ScanContainer(scanner, shown, sink);
        container
                .detached()
                .ifPresent(detached -> detached.details().environment().forEach(line -> scan.variable("env", line)));
        container
                .labels()
                .forEach((label, value) -> scan.report(scanner.scan(shown + " label " + label, label, value)));
        scan.report(scanner.scan(shown + " command", String.join(" ", container.command())));
        RunningContainer.find(name, directories).ifPresent(scan::processes);
        try (LogReader log = container.log(OptionalLong.empty())) {
            scanner.scan(shown + " log", new LogStream(log), sink);
            if (log.hasGap() || log.unreadable() > 0) {
                sink.skipped(shown + " log", "lines of it are missing");
            }
        }
    }

    private void variable(String where, String line) {
        String[] parts = line.split("=", 2);
        report(scanner.scan(name + " " + where + " " + parts[0], parts[0], parts.length < 2 ? "" : parts[1]));
    }

    /// Reports what no earlier place of the container had: processes inherit variables.
    private void report(List<Leak> leaks) {
        for (Leak leak : leaks) {
            if (known.add(leak.rule().id()
                    + leak.masked()
                    + leak.mark()
                    + leak.place().source().replaceAll(".* ", ""))) {
                sink.found(leak.allowed("")); // what runs in it does not allow itself anything
            }
        }
    }

    private void processes(RunningContainer running) {
        for (ContainerProcess process : running.processes()) {
            List<String> variables = strings(process.pid(), "environ");
            List<String> words = strings(process.pid(), "cmdline");
            // the number may have gone to a process of the host meanwhile
            boolean same = running.processes().stream()
                    .anyMatch(now -> now.pid() == process.pid() && now.started().equals(process.started()));
            if (same) {
                variables.forEach(line -> variable("process " + process.pid() + " env", line));
                report(scanner.scan(name + " process " + process.pid() + " command", String.join(" ", words)));
            }
        }
    }

    private List<String> strings(int pid, String file) {
        try (Fd opened = FileSystem.open("/proc/" + pid + "/" + file, FileSystem.O_RDONLY)) {
            String text = new String(FileSystem.read(opened, MOST_BYTES), StandardCharsets.UTF_8);
            List<String> strings = new ArrayList<>();
            for (String string : text.split("\0", -1)) {
                if (!string.isEmpty()) {
                    strings.add(string);
                }
            }
            return strings;
        } catch (ErrnoException e) {
            return List.of(); // it has ended
        }
    }

    /// The lines of a log, one after the other.
    private static final class LogStream extends InputStream {
        private final LogReader log;
        private final List<LogEntry> entries = new ArrayList<>();
        private byte[] line = new byte[0];
        private int at;

        LogStream(LogReader log) {
            this.log = log;
        }

        @Override
        public int read() {
            return fill() ? line[at++] & 0xff : -1;
        }

        @Override
        public int read(byte[] bytes, int from, int length) {
            if (length == 0) {
                return 0;
            }
            if (!fill()) {
                return -1;
            }
            int count = Math.min(length, line.length - at);
            System.arraycopy(line, at, bytes, from, count);
            at += count;
            return count;
        }

        private boolean fill() {
            while (at == line.length) {
                if (entries.isEmpty()) {
                    entries.addAll(log.next().reversed());
                }
                if (entries.isEmpty()) {
                    return false;
                }
                line = entries.removeLast().text().getBytes(StandardCharsets.UTF_8);
                at = 0;
            }
            return true;
        }
    }
}
