import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/// A class in which mistakes are made.
///
/// @param files class files of it and of what is nested in it
/// @param source lines
/// @param hash of the source
record Subject(String name, String room, List<Path> files, List<String> source, String hash) {
    /// A mistake in it.
    ///
    /// @param number among those of its subject
    /// @param name as the list of survivors has it: without the line's number, which every change above it would move
    record Mutant(Subject subject, int number, int line, String method, String name) {}

    /// The classes of rooms, by their names.
    static Map<String, Subject> in(Path clone, Collection<String> rooms) throws IOException {
        var found = new TreeMap<String, Subject>();
        for (String room : rooms) {
            Path classes = clone.resolve(room + "/target/classes");
            var files = new TreeMap<String, List<Path>>();
            for (Path file : classFiles(classes)) {
                String path = classes.relativize(file).toString().replace(".class", "");
                files.computeIfAbsent(path.replaceAll("\\$.*", ""), _ -> new ArrayList<>()).add(file);
            }
            for (var each : files.entrySet()) {
                Path source = clone.resolve(room + "/src/main/java/" + each.getKey() + ".java");
                String name = source.getFileName().toString().replace(".java", "");
                if (!name.endsWith("-info") && Files.exists(source)) {
                    List<String> lines = Files.readAllLines(source);
                    found.put(name, new Subject(name, room, each.getValue(), lines, hash(String.join("\n", lines))));
                }
            }
        }
        return found;
    }

    static List<Path> classFiles(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            return List.of();
        }
        try (Stream<Path> all = Files.walk(directory)) {
            return all.filter(path -> path.toString().endsWith(".class")).sorted().toList();
        }
    }

    static String hash(String content) {
        return hash(content.getBytes(StandardCharsets.UTF_8));
    }

    static String hash(byte[] content) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content), 0, 6);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    /// A line, as the coverage knows it: by its text, so that a change of other lines leaves it known.
    String place(int line) {
        return place("line " + text(line));
    }

    /// A method, or a line by its text.
    String place(String what) {
        return name + ":" + hash(what);
    }

    String text(int line) {
        return line > 0 && line <= source.size() ? source.get(line - 1).strip() : "";
    }

    List<Mutant> mutants() throws IOException {
        var found = new ArrayList<Mutant>();
        var seen = new HashMap<String, Integer>();
        for (Change change : Changes.of(this)) {
            String text = change.shown() + " in " + text(change.line());
            int times = seen.merge(text, 1, Integer::sum);
            found.add(new Mutant(this, found.size(), change.line(), change.method(),
                    name + ".java " + text + (times == 1 ? "" : " #" + times)));
        }
        return found;
    }
}
