package dev.caisson.scan;

import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The findings that `.gitleaksignore` of a directory tolerates, a line each: `FILE:RULE:LINE`, or
/// `COMMIT:FILE:RULE:LINE` in a history. A rule that is none of those looked for stands for any.
public final class IgnoreFile {
    /// The name of the file.
    public static final String NAME = ".gitleaksignore";

    private static final int MOST_BYTES = 4 << 20;
    private static final Pattern LINE = Pattern.compile("(?:([0-9a-f]{40,64}):)?(.+):([^:]+):(\\d{1,9})");
    private static final Pattern COMMIT = Pattern.compile("(.+)@([0-9a-f]{12})");

    private record Fingerprint(String commit, String file, String rule, long line) {}

    private final Set<Fingerprint> all = new HashSet<>();

    private IgnoreFile() {}

    /// Reads the file of a directory; empty if there is none, or if it is no regular file.
    /// @throws ScanException INPUT_UNREADABLE if it is too large or cannot be read
    public static Optional<IgnoreFile> of(Path directory) {
        int flags = FileSystem.O_RDONLY | FileSystem.O_DIRECTORY;
        try (Fd opened = FileSystem.open(directory.toString(), flags)) {
            long beneath = FileSystem.RESOLVE_BENEATH | FileSystem.RESOLVE_NO_SYMLINKS;
            Optional<Fd> found = FileSystem.find(opened, NAME, FileSystem.O_RDONLY | FileSystem.O_NONBLOCK, beneath);
            if (found.isEmpty()) {
                return Optional.empty();
            }
            try (Fd file = found.get()) {
                if (!FileSystem.status(file).isRegularFile()) {
                    return Optional.empty();
                }
                byte[] bytes = FileSystem.read(file, MOST_BYTES + 1);
                if (bytes.length > MOST_BYTES) {
                    throw new ScanException(
                            ScanException.Code.INPUT_UNREADABLE, NAME + " is larger than 4 MiB: remove old lines");
                }
                return Optional.of(parse(new String(bytes, StandardCharsets.UTF_8)));
            }
        } catch (ErrnoException e) {
            return Optional.empty(); // what is scanned is no directory, or a link stands there
        }
    }

    /// Reads the lines of a file; those that are none of it allow nothing.
    public static IgnoreFile parse(String text) {
        var file = new IgnoreFile();
        text.lines().map(String::strip).filter(line -> !line.startsWith("#")).forEach(line -> {
            Matcher parts = LINE.matcher(line);
            if (parts.matches()) {
                String commit = parts.group(1) == null ? "" : parts.group(1).substring(0, 12);
                file.all.add(
                        new Fingerprint(commit, plain(parts.group(2)), parts.group(3), Long.parseLong(parts.group(4))));
            }
        });
        return file;
    }

    private static String plain(String path) {
        return path.startsWith("./") ? path.substring(2) : path;
    }

    /// Returns a sink that gives on findings marked as allowed if the file has them.
    /// @param target that places begin with, such as a directory
    /// @param rules that are looked for
    public ScanSink over(String target, RuleSet rules, ScanSink sink) {
        Set<String> known = new HashSet<>();
        rules.rules().forEach(rule -> known.add(rule.id()));
        return new ScanSink() {
            @Override
            public void found(Leak leak) {
                boolean allowed = leak.allowed().isEmpty() && has(leak, target, known);
                sink.found(allowed ? leak.allowed(NAME + " has it") : leak);
            }

            @Override
            public void skipped(String source, String why) {
                sink.skipped(source, why);
            }
        };
    }

    private boolean has(Leak leak, String target, Set<String> known) {
        String whole = leak.place().source();
        Matcher commit = COMMIT.matcher(whole);
        boolean historic = commit.matches();
        String source = historic ? commit.group(1) : whole;
        String below = source.startsWith(target) ? source.substring(target.length()) : source;
        String relative = below.startsWith("/") && !below.equals(source) ? below.substring(1) : below;
        return all.stream()
                .filter(print -> print.line() == leak.place().line())
                .filter(print -> print.file().equals(relative) || print.file().equals(plain(source)))
                .filter(print ->
                        print.commit().isEmpty() || (historic && print.commit().equals(commit.group(2))))
                .anyMatch(print -> print.rule().equals(leak.rule().id()) || !known.contains(print.rule()));
    }
}
