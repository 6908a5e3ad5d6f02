package dev.caisson.audit;

import dev.caisson.scan.RuleSet;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// All checks, read from the tables beside this class: `checks.tsv` of container files, `host-checks.tsv` of live
/// hosts.
public final class Checks {
    /// The versions of the CIS Docker Benchmark that ids are given for.
    public static final List<String> CIS_VERSIONS = List.of("1.6", "1.7", "1.8");

    private static final int COLUMNS = 9;
    /// Stands in the table where no other tool is known to ask the same, so that an empty cell is an omission.
    private static final String NONE_ALIKE = "none";
    private static final Map<String, Check> BY_NAME = new LinkedHashMap<>();
    private static final Map<String, Check> BY_ID = new LinkedHashMap<>();
    private static final List<Check> OF_FILES = read("checks.tsv", false);
    private static final Map<String, Integer> LEVELS = new LinkedHashMap<>();
    private static final List<Check> OF_HOSTS = read("host-checks.tsv", true);

    private Checks() {}

    private static List<Check> read(String table, boolean levels) {
        List<Check> checks = new ArrayList<>();
        for (String line : text(table).lines().skip(1).toList()) {
            int last = line.lastIndexOf('\t');
            Check check = check(levels ? line.substring(0, last) : line);
            if (BY_ID.put(check.id(), check) != null || BY_NAME.put(check.name(), check) != null) {
                throw new IllegalStateException("two checks are called " + check.id() + " or " + check.name());
            }
            if (levels) {
                LEVELS.put(check.id(), Integer.valueOf(line.substring(last + 1)));
            }
            checks.add(check);
        }
        return List.copyOf(checks);
    }

    /// All checks of container files in the order of their table.
    public static List<Check> all() {
        return OF_FILES;
    }

    /// All checks of live hosts in the order of their table.
    public static List<Check> ofHosts() {
        return OF_HOSTS;
    }

    /// The profile level of a check of live hosts, 1 or 2, as the CIS Docker Benchmark uses the word.
    public static int level(Check check) {
        return LEVELS.getOrDefault(check.id(), 1);
    }

    /// The check of that id or name, also if it is one of the leak scanner's.
    public static Optional<Check> find(String idOrName) {
        Check check = BY_ID.get(idOrName.toUpperCase(Locale.ROOT));
        return Optional.ofNullable(check != null ? check : BY_NAME.get(idOrName.toLowerCase(Locale.ROOT)))
                .or(() -> LeakChecks.find(idOrName, RuleSet.own().rules()));
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
            throw new IllegalStateException("a table of checks has " + cells.length + " cells in: " + line);
        }
        return new Check(
                cells[0],
                cells[1],
                Severity.of(cells[2]).orElseThrow(),
                cis(cells[3]),
                cells[4],
                cells[5].equals(NONE_ALIKE) ? List.of() : words(cells[5]),
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

    private static String text(String table) {
        try (InputStream in = Checks.class.getResourceAsStream(table)) {
            if (in == null) {
                throw new IllegalStateException(table + " is missing from the module");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
