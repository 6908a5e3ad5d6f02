package dev.caisson.seccomp;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.GZIPInputStream;

/// Writes `syscalls.tsv` from Debian's kernel headers (package linux-libc-dev), the table of syscalls(2) (package
/// manpages-dev), the trace events of the running x86_64 kernel (`/sys/kernel/tracing`, needs root), and the files
/// `groups.txt`, `facts.tsv` and `notes.tsv` beside it. Run from the module's directory.
final class SyscallTableGenerator {
    private static final Path TABLE = Path.of("src/main/resources/dev/caisson/seccomp/syscalls.tsv");
    private static final Path MANUAL = Path.of("/usr/share/man/man2/syscalls.2.gz");
    private static final Path EVENTS = Path.of("/sys/kernel/tracing/events/syscalls");
    private static final Pattern NUMBER =
            Pattern.compile("#define __NR_(\\w+)\\s+\\(?(?:__X32_SYSCALL_BIT \\+ |__NR_SYSCALL_BASE \\+ )?(\\d+)\\)?");
    private static final Pattern MANUAL_ROW = Pattern.compile("\\\\fB(\\w+)\\\\fP\\(\\d\\)\\t(\\d+\\.\\d+).*");
    private static final Pattern FIELD = Pattern.compile("field:([^;]*?)(\\w+);");

    /// Trace events that are named after the kernel's function where the call has another name.
    private static final Map<String, String> EVENT_NAMES = Map.of(
            "newfstat", "fstat",
            "newlstat", "lstat",
            "newstat", "stat",
            "newuname", "uname",
            "sendfile64", "sendfile",
            "umount", "umount2");

    private SyscallTableGenerator() {}

    public static void main(String[] arguments) throws IOException {
        SortedMap<String, Map<Architecture, Integer>> numbers = new TreeMap<>(headers());
        Map<String, List<String>> facts = rows("facts.tsv");
        facts.forEach((name, row) -> addNumbers(numbers, name, row.get(1)));
        Map<String, String> groups = groups();
        Map<String, String> since = manual();
        Map<String, String> widths = events();
        Map<String, List<String>> notes = rows("notes.tsv");
        var table = new StringBuilder("# name");
        for (Architecture architecture : Architecture.values()) {
            table.append('\t').append(architecture);
        }
        table.append("\tsince\twidths\tgroup\tnote\n");
        for (var call : numbers.entrySet()) {
            String name = call.getKey();
            List<String> fact = facts.getOrDefault(name, List.of(name, "", "", "?"));
            table.append(name);
            for (Architecture architecture : Architecture.values()) {
                table.append('\t')
                        .append(Optional.ofNullable(call.getValue().get(architecture))
                                .map(Object::toString)
                                .orElse("-"));
            }
            String first = fact.get(2).isEmpty() ? since.getOrDefault(name, "?") : fact.get(2);
            String width = fact.get(3).equals("?") ? widths.getOrDefault(name, "") : fact.get(3);
            String group = Optional.ofNullable(groups.get(name))
                    .orElseThrow(() -> new IllegalStateException("groups.txt does not class " + name));
            if (first.equals("?")) {
                throw new IllegalStateException("neither syscalls(2) nor facts.tsv tells since when there is " + name);
            }
            table.append('\t').append(first).append('\t').append(width.isEmpty() ? "-" : width);
            table.append('\t').append(group).append('\t');
            table.append(notes.containsKey(name) ? notes.get(name).get(1) : "").append('\n');
        }
        Files.writeString(TABLE, table);
    }

    private static void addNumbers(
            SortedMap<String, Map<Architecture, Integer>> numbers, String name, String assignments) {
        for (String assignment : assignments.isEmpty() ? new String[0] : assignments.split(",", -1)) {
            String[] parts = assignment.split("=", 2);
            Map<Architecture, Integer> row = numbers.computeIfAbsent(name, n -> new EnumMap<>(Architecture.class));
            for (Architecture architecture : Architecture.values()) {
                if (parts[0].equals("all") || parts[0].equalsIgnoreCase(architecture.name())) {
                    row.putIfAbsent(architecture, Integer.valueOf(parts[1]));
                }
            }
        }
    }

    /// The calls that the installed kernel headers name, with their numbers.
    static Map<String, Map<Architecture, Integer>> headers() throws IOException {
        Map<String, Map<Architecture, Integer>> numbers = new HashMap<>();
        for (Architecture architecture : Architecture.values()) {
            for (String line : Files.readAllLines(header(architecture))) {
                Matcher matcher = NUMBER.matcher(line);
                if (matcher.matches()) {
                    numbers.computeIfAbsent(matcher.group(1), n -> new EnumMap<>(Architecture.class))
                            .put(architecture, Integer.valueOf(matcher.group(2)));
                }
            }
        }
        return numbers;
    }

    static Path header(Architecture architecture) {
        return Path.of(
                "/usr/include",
                switch (architecture) {
                    case X86_64 -> "x86_64-linux-gnu/asm/unistd_64.h";
                    case X86 -> "i386-linux-gnu/asm/unistd_32.h";
                    case X32 -> "x86_64-linux-gnux32/asm/unistd_x32.h";
                    case AARCH64 -> "aarch64-linux-gnu/asm/unistd_64.h";
                    case ARM -> "arm-linux-gnueabihf/asm/unistd-eabi.h";
                    case RISCV64 -> "riscv64-linux-gnu/asm/unistd_64.h";
                    case S390X -> "s390x-linux-gnu/asm/unistd_64.h";
                    case PPC64LE -> "powerpc64le-linux-gnu/asm/unistd_64.h";
                    case LOONGARCH64 -> "loongarch64-linux-gnu/asm/unistd_64.h";
                });
    }

    private static Map<String, String> manual() throws IOException {
        Map<String, String> since = new HashMap<>();
        try (var text = new GZIPInputStream(Files.newInputStream(MANUAL))) {
            new String(text.readAllBytes(), StandardCharsets.UTF_8).lines().forEach(line -> {
                Matcher matcher = MANUAL_ROW.matcher(line);
                if (matcher.matches()) {
                    since.put(matcher.group(1), matcher.group(2));
                }
            });
        }
        return since;
    }

    /// The widths of the arguments of each call that the running kernel can trace.
    static Map<String, String> events() throws IOException {
        Map<String, String> widths = new HashMap<>();
        try (var directories = Files.list(EVENTS)) {
            for (Path directory : directories.toList()) {
                String event = directory.getFileName().toString();
                if (event.startsWith("sys_enter_")) {
                    String name = event.substring("sys_enter_".length());
                    widths.put(EVENT_NAMES.getOrDefault(name, name), widths(directory.resolve("format")));
                }
            }
        }
        return widths;
    }

    private static String widths(Path format) throws IOException {
        var widths = new StringBuilder();
        for (String line : Files.readAllLines(format)) {
            Matcher matcher = FIELD.matcher(line);
            if (matcher.find()
                    && !matcher.group(2).startsWith("common_")
                    && !matcher.group(2).startsWith("__syscall_nr")) {
                widths.append(width(matcher.group(1).replace("const ", "").strip()));
            }
        }
        return widths.toString();
    }

    private static char width(String type) {
        if (type.endsWith("*")) {
            return 'w';
        }
        return switch (type) {
            case "int", "unsigned int", "unsigned", "u32", "__u32", "__s32", "pid_t", "uid_t", "gid_t", "qid_t" -> 'i';
            case "clockid_t", "timer_t", "mqd_t", "key_t", "key_serial_t", "rwf_t", "enum landlock_rule_type" -> 'i';
            case "umode_t", "old_uid_t", "old_gid_t" -> 'h';
            case "long", "unsigned long", "size_t", "loff_t", "off_t", "__u64", "u64", "aio_context_t" -> 'w';
            case "cap_user_header_t", "cap_user_data_t" -> 'w';
            default -> throw new IllegalStateException("how wide is the type " + type + "?");
        };
    }

    static Map<String, String> groups() throws IOException {
        Map<String, String> groups = new HashMap<>();
        String group = "";
        for (String line : Files.readAllLines(source("groups.txt"))) {
            if (line.startsWith("[")) {
                group = line.substring(1, line.indexOf(']'));
            } else if (!line.startsWith("#")) {
                for (String name : line.split(" ", -1)) {
                    if (groups.put(name, group) != null) {
                        throw new IllegalStateException("groups.txt classes " + name + " twice");
                    }
                }
            }
        }
        return groups;
    }

    private static Map<String, List<String>> rows(String file) throws IOException {
        Map<String, List<String>> rows = new HashMap<>();
        for (String line : Files.readAllLines(source(file))) {
            if (!line.startsWith("#")) {
                List<String> row = new ArrayList<>(List.of(line.split("\t", -1)));
                if (rows.put(row.getFirst(), row) != null) {
                    throw new IllegalStateException(file + " has two rows of " + row.getFirst());
                }
            }
        }
        return rows;
    }

    private static Path source(String file) {
        return Path.of("src/test/resources/dev/caisson/seccomp", file);
    }
}
