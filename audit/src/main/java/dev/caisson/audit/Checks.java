package dev.caisson.audit;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// All checks, read from the table `checks.tsv` beside this class.
public final class Checks {
    /// The versions of the CIS Docker Benchmark that ids are given for.
    public static final List<String> CIS_VERSIONS = List.of("1.6", "1.7", "1.8");

    private static final int COLUMNS = 9;
    private static final Map<String, Check> BY_NAME = new LinkedHashMap<>();
    private static final Map<String, Check> BY_ID = new LinkedHashMap<>();

    static {
        for (String line : table().lines().skip(1).toList()) {
            Check check = check(line);
            if (BY_ID.put(check.id(), check) != null || BY_NAME.put(check.name(), check) != null) {
                throw new IllegalStateException("two checks are called " + check.id() + " or " + check.name());
            }
        }
    }

    private Checks() {}

    /// All checks in the order of their table.
    public static List<Check> all() {
        return List.copyOf(BY_ID.values());
    }

    /// The check of that id or name.
    public static Optional<Check> find(String idOrName) {
        Check check = BY_ID.get(idOrName.toUpperCase(Locale.ROOT));
        return Optional.ofNullable(check != null ? check : BY_NAME.get(idOrName.toLowerCase(Locale.ROOT)));
    }

    /// The check of that name, which must exist.
    static Check named(String name) {
        Check check = BY_NAME.get(name);
        if (check == null) {
            throw new IllegalArgumentException("there is no check " + name);
        }
        return check;
    }

    private static Check check(String line) {
        String[] cells = line.split("\t", -1);
        if (cells.length != COLUMNS) {
            throw new IllegalStateException("checks.tsv has " + cells.length + " cells in: " + line);
        }
        return new Check(
                cells[0],
                cells[1],
                Severity.of(cells[2]).orElseThrow(),
                cis(cells[3]),
                cells[4],
                words(cells[5]),
                cells[6],
                cells[7],
                cells[8]);
    }

    /// `5.4` holds for all versions; `1.8:2.9` for one.
    private static Map<String, List<String>> cis(String cell) {
        Map<String, List<String>> ids = new LinkedHashMap<>();
        for (String version : CIS_VERSIONS) {
            List<String> own = words(cell).stream()
                    .filter(word -> word.indexOf(':') < 0 || word.startsWith(version + ":"))
                    .map(word -> word.substring(word.indexOf(':') + 1))
                    .toList();
            if (!own.isEmpty()) {
                ids.put(version, own);
            }
        }
        return ids;
    }

    private static List<String> words(String cell) {
        return Arrays.stream(cell.split(" ", -1))
                .filter(word -> !word.isEmpty())
                .toList();
    }

    private static String table() {
        try (InputStream in = Checks.class.getResourceAsStream("checks.tsv")) {
            if (in == null) {
                throw new IllegalStateException("checks.tsv is missing from the module");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
