package dev.caisson.linux;

import java.util.List;
import java.util.Optional;

/// One line of a mount table, proc_pid_mountinfo(5).
///
/// @param device of the file system, `MAJOR:MINOR`
/// @param root the directory of the file system that is mounted, `/` for all of it
/// @param options of the mount
/// @param propagation as `shared:1 master:2`; empty for a private mount
/// @param superOptions of the file system, as `nr_inodes=1`
public record MountInfo(
        int id,
        int parent,
        String device,
        String root,
        String point,
        String options,
        String propagation,
        String type,
        String source,
        String superOptions) {
    private static final String SEPARATOR = " - ";
    private static final int FIELDS_BEFORE = 6;
    private static final int FIELDS_BEHIND = 3;

    /// Parses a table in its order: a later mount may hide an earlier one. Lines of another form are left out.
    public static List<MountInfo> parse(String table) {
        return KernelText.lines(table).flatMap(line -> ofLine(line).stream()).toList();
    }

    /// Parses a line; empty for one of another form.
    public static Optional<MountInfo> ofLine(String line) {
        int separator = line.indexOf(SEPARATOR);
        if (separator < 0) {
            return Optional.empty();
        }
        List<String> before = List.of(line.substring(0, separator).split(" ", -1));
        String[] behind = line.substring(separator + SEPARATOR.length()).split(" ", FIELDS_BEHIND);
        if (before.size() < FIELDS_BEFORE
                || behind.length < 2
                || !isNumber(before.get(0))
                || !isNumber(before.get(1))) {
            return Optional.empty();
        }
        return Optional.of(new MountInfo(
                Integer.parseInt(before.get(0)),
                Integer.parseInt(before.get(1)),
                before.get(2),
                unescaped(before.get(3)),
                unescaped(before.get(4)),
                before.get(5),
                String.join(" ", before.subList(FIELDS_BEFORE, before.size())),
                behind[0],
                unescaped(behind[1]),
                behind.length < FIELDS_BEHIND ? "" : behind[2]));
    }

    private static boolean isNumber(String text) {
        return text.matches("[0-9]{1,9}");
    }

    /// The kernel writes space, tab, newline and backslash in octal.
    private static String unescaped(String path) {
        return path.indexOf('\\') < 0
                ? path
                : path.replace("\\040", " ")
                        .replace("\\011", "\t")
                        .replace("\\012", "\n")
                        .replace("\\134", "\\");
    }
}
