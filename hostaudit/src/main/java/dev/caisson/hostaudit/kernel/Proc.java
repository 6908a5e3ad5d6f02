package dev.caisson.hostaudit.kernel;

import dev.caisson.linux.KernelText;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;

/// Reads `/proc`, proc(5). A process may end between two reads; what is gone reads as empty.
public final class Proc {
    static final List<String> NAMESPACES = List.of("cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts");

    /// Inodes of the first namespaces, which are constants of the kernel: linux/proc_ns.h.
    private static final Map<String, Long> FIRST = Map.of(
            "ipc",
            0xEFFFFFFFL,
            "uts",
            0xEFFFFFFEL,
            "user",
            0xEFFFFFFDL,
            "pid",
            0xEFFFFFFCL,
            "cgroup",
            0xEFFFFFFBL,
            "time",
            0xEFFFFFFAL);
    private static final int PIECE = 16 * 1024;
    /// The most that is read of a table: a container that may mount or open sockets makes its tables as long as it
    /// likes.
    private static final int MOST_BYTES = 32 << 20;
    private static final int MOST_LINES = 2_000_000;

    private static final Path ROOT = Path.of("/proc");

    private Proc() {}

    public static Path of(long pid) {
        return ROOT.resolve(Long.toString(pid));
    }

    public static List<Long> pids() {
        String[] names = ROOT.toFile().list((directory, name) -> Character.isDigit(name.charAt(0)));
        return names == null
                ? List.of()
                : Stream.of(names).map(Long::valueOf).sorted().toList();
    }

    /// The text of a small file without the last line break. Read in large pieces: files of /proc/sys give
    /// all in the first read(2), however short that is, and nothing after. A longer file than [#MOST_BYTES]
    /// reads as empty, like one that is gone.
    public static Optional<String> text(Path file) {
        // a plain stream: those of channels cost more than the kernel does for files as small as these
        try (InputStream in = new FileInputStream(file.toFile())) {
            byte[] piece = new byte[PIECE];
            int count = in.read(piece);
            if (count < 0) {
                return Optional.of("");
            }
            var all = new ByteArrayOutputStream(count);
            while (count > 0) {
                all.write(piece, 0, count);
                if (all.size() > MOST_BYTES) {
                    return Optional.empty();
                }
                count = in.read(piece);
            }
            return Optional.of(all.toString(StandardCharsets.UTF_8).stripTrailing());
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    public static Optional<String> text(long pid, String name) {
        return text(of(pid).resolve(name));
    }

    /// Gives the lines of a table to `use`, one after another, so that a long one takes no memory.
    static void lines(long pid, String name, Consumer<String> use) {
        try (BufferedReader in = new BufferedReader(
                new InputStreamReader(new FileInputStream(of(pid).resolve(name).toFile()), StandardCharsets.UTF_8))) {
            String line = in.readLine();
            for (int count = 0; line != null && count < MOST_LINES; count++) {
                use.accept(line);
                line = in.readLine();
            }
        } catch (IOException e) {
            // the process is gone, and its sockets with it
        }
    }

    public static Optional<String> link(Path link) {
        try {
            return Optional.of(Files.readSymbolicLink(link).toString());
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /// When a process began, in ticks since the machine started: with it a pid names one process. Empty
    /// where it has ended, also where its parent has not asked for its status yet.
    public static Optional<Long> startTime(long pid) {
        return text(pid, "stat")
                .map(stat -> stat.substring(stat.lastIndexOf(')') + 1).strip().split(" ", -1))
                .filter(fields -> fields.length > 19 && !fields[0].equals("Z") && !fields[0].equals("X"))
                .map(fields -> Long.valueOf(fields[19]));
    }

    /// The inode of a namespace, as in `net:[4026531840]`.
    public static Optional<Long> namespace(long pid, String kind) {
        return link(of(pid).resolve("ns").resolve(kind)).map(Proc::bracketed);
    }

    private static long bracketed(String link) {
        return Long.parseLong(link.substring(link.indexOf('[') + 1, link.indexOf(']')));
    }

    public static Map<String, Long> namespaces(long pid) {
        Map<String, Long> all = new java.util.TreeMap<>();
        for (String kind : NAMESPACES) {
            namespace(pid, kind).ifPresent(inode -> all.put(kind, inode));
        }
        return all;
    }

    /// The host's own: those of process 1; where it may not be looked at, the kernel's constants, and for
    /// network and mounts, which have none in older kernels, this process's.
    public static Map<String, Long> firstNamespaces() {
        Map<String, Long> all = namespaces(1);
        FIRST.forEach(all::putIfAbsent);
        namespaces(ProcessHandle.current().pid()).forEach(all::putIfAbsent);
        return all;
    }

    /// `key: value` lines.
    public static Map<String, String> fields(String text) {
        Map<String, String> fields = new HashMap<>();
        KernelText.lines(text).forEach(line -> {
            int colon = line.indexOf(':');
            if (colon > 0) {
                fields.put(line.substring(0, colon), line.substring(colon + 1).strip());
            }
        });
        return fields;
    }

    public static List<String> commandLine(long pid) {
        return text(pid, "cmdline")
                .map(text ->
                        List.of((text.endsWith("\0") ? text.substring(0, text.length() - 1) : text).split("\0", -1)))
                .orElse(List.of());
    }

    /// A variable of a process's environment as it was started with; empty where it has none or may not be read.
    public static Optional<String> variable(long pid, String name) {
        return text(pid, "environ").stream()
                .flatMap(text -> Stream.of(text.split("\0", -1)))
                .filter(line -> line.startsWith(name + "="))
                .map(line -> line.substring(name.length() + 1))
                .findFirst();
    }

    /// Inodes of the sockets that a process has open.
    public static List<Long> socketInodes(long pid) {
        var inodes = new ArrayList<Long>();
        Path directory = of(pid).resolve("fd");
        String[] names = directory.toFile().list();
        for (String name : names == null ? new String[0] : names) {
            link(directory.resolve(name))
                    .filter(target -> target.startsWith("socket:["))
                    .ifPresent(target -> inodes.add(bracketed(target)));
        }
        return inodes;
    }

    /// Soft and hard limits by name: columns of fixed width, getrlimit(2).
    public static Map<String, String> limits(long pid) {
        Map<String, String> limits = new java.util.TreeMap<>();
        text(pid, "limits").stream().flatMap(String::lines).skip(1).forEach(line -> {
            String[] parts = line.split("\\s{2,}", -1);
            if (parts.length > 2) {
                limits.put(parts[0], parts[1] + ":" + parts[2]);
            }
        });
        return limits;
    }

    public static List<Long> numbers(String words) {
        return Stream.of(words.strip().split("\\s+", -1))
                .filter(word -> !word.isEmpty())
                .map(Long::valueOf)
                .toList();
    }
}
