package dev.caisson.audit;

import dev.caisson.containerfile.ContainerFileException;
import dev.caisson.containerfile.Source;
import dev.caisson.containerfile.yaml.Yaml;
import dev.caisson.containerfile.yaml.YamlNode.YamlMap;
import dev.caisson.containerfile.yaml.YamlNode.YamlScalar;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Applies waivers: comments `# caisson: allow CHECK reason until DATE`, on a finding's line or above it, and those of
/// a file. One that has run out, is not valid or covers nothing is a finding itself.
final class Waivers {
    private static final Pattern INLINE = Pattern.compile("#\\s*caisson:\\s*allow\\b\\s*(.*)$");
    private static final Pattern BODY = Pattern.compile("(\\S+)\\s+(\\S.*?)\\s+until\\s+(\\d{4}-\\d{2}-\\d{2})\\s*$");

    /// A waiver that is valid; `line` is the line it covers, 0 for all lines.
    private record Waiver(
            Check check, Pattern file, Pattern subject, int line, String reason, LocalDate until, Location place) {
        boolean covers(Finding finding) {
            Optional<Location> at = finding.location();
            return finding.check().id().equals(check.id())
                    && file.matcher(at.map(Location::file).orElse("")).matches()
                    && subject.matcher(finding.subject().name()).matches()
                    && (line == 0 || at.filter(place -> place.line() == line).isPresent());
        }
    }

    private final LocalDate today;
    private final Function<String, Optional<Check>> checks;
    private final Predicate<Check> judged;
    private final List<Waiver> waivers = new ArrayList<>();
    private final List<Finding> findings = new ArrayList<>();

    Waivers(LocalDate today, Optional<Path> file, Collection<Source> sources) {
        this(today, file, sources, Checks::find, check -> !LeakChecks.isLeak(check));
    }

    /// @param checks finds a check by its id or name
    /// @param judged true for the checks that this run makes; one file may hold waivers of others too
    Waivers(
            LocalDate today,
            Optional<Path> file,
            Collection<Source> sources,
            Function<String, Optional<Check>> checks,
            Predicate<Check> judged) {
        this.today = today;
        this.checks = checks;
        this.judged = judged;
        file.ifPresent(this::readFile);
        sources.forEach(this::readComments);
    }

    List<Finding> apply(List<Finding> found) {
        boolean[] used = new boolean[waivers.size()];
        List<Finding> result = new ArrayList<>(findings);
        for (Finding finding : found) {
            Finding judged = finding;
            for (int at = 0; at < waivers.size() && judged.status() == Status.FAIL; at++) {
                Waiver waiver = waivers.get(at);
                if (waiver.covers(judged)) {
                    used[at] = true;
                    if (!waiver.until().isBefore(today)) {
                        judged = judged.waived(waiver.reason() + " (until " + waiver.until() + ")");
                    }
                }
            }
            result.add(judged);
        }
        for (int at = 0; at < used.length; at++) {
            Waiver waiver = waivers.get(at);
            if (waiver.until().isBefore(today)) {
                result.add(note(
                        "waiver-expired",
                        waiver.place(),
                        "the waiver of " + waiver.check().name() + " ran out on " + waiver.until()));
            } else if (!used[at]) {
                result.add(note(
                        "waiver-unused",
                        waiver.place(),
                        "the waiver of " + waiver.check().name() + " covers nothing"));
            }
        }
        return result;
    }

    private void readComments(Source source) {
        for (int line = 1; line <= source.lineCount(); line++) {
            String text = source.lineText(line);
            if (!text.contains("caisson:")) {
                continue;
            }
            Matcher comment = INLINE.matcher(text);
            if (comment.find()) {
                boolean alone = text.substring(0, comment.start()).isBlank();
                int covered = alone ? nextLine(source, line) : line;
                Location place = new Location(source.name(), line, comment.start() + 1, line, text.length() + 1);
                inline(source.name(), comment.group(1), covered, place);
            }
        }
    }

    /// The first line below that is neither blank nor a comment.
    private static int nextLine(Source source, int line) {
        int next = line + 1;
        while (next <= source.lineCount()
                && (source.lineText(next).isBlank()
                        || source.lineText(next).stripLeading().startsWith("#"))) {
            next++;
        }
        return next;
    }

    private void inline(String file, String body, int line, Location place) {
        Matcher parts = BODY.matcher(body);
        if (!parts.matches()) {
            findings.add(note("waiver-invalid", place, "a waiver has no reason or no date"));
            return;
        }
        add(
                parts.group(1),
                Pattern.compile(Pattern.quote(file)),
                Pattern.compile(".*"),
                line,
                parts.group(2),
                parts.group(3),
                place);
    }

    private void add(
            String name, Pattern file, Pattern subject, int line, String reason, String until, Location place) {
        Optional<Check> check = checks.apply(name);
        if (check.isPresent() && !judged.test(check.get())) {
            return;
        }
        LocalDate date;
        try {
            date = LocalDate.parse(until);
        } catch (DateTimeParseException e) {
            findings.add(note("waiver-invalid", place, "a waiver's date is none: " + until));
            return;
        }
        if (check.isEmpty() || reason.isBlank()) {
            findings.add(note(
                    "waiver-invalid",
                    place,
                    check.isEmpty() ? "a waiver names no check: " + name : "a waiver has no reason"));
            return;
        }
        waivers.add(new Waiver(check.get(), file, subject, line, reason.strip(), date, place));
    }

    private void readFile(Path path) {
        try {
            Source source = Source.read(path.toString(), path);
            YamlMap map = Yaml.document(source)
                    .filter(YamlMap.class::isInstance)
                    .map(YamlMap.class::cast)
                    .filter(found -> found.seq("waivers").isPresent())
                    .orElseThrow(() -> new AuditException(
                            AuditException.Code.WAIVERS_INVALID, path + " needs a list called waivers."));
            map.maps("waivers")
                    .forEach(entry -> add(
                            text(entry, "check"),
                            glob(text(entry, "file")),
                            glob(text(entry, "subject")),
                            0,
                            text(entry, "reason"),
                            text(entry, "until"),
                            Location.of(entry.place())));
        } catch (ContainerFileException e) {
            throw new AuditException(AuditException.Code.WAIVERS_INVALID, e.getMessage(), e);
        }
    }

    private static String text(YamlMap map, String key) {
        return map.scalar(key).map(YamlScalar::value).orElse("");
    }

    private static Pattern glob(String text) {
        return Pattern.compile(text.isEmpty() ? ".*" : Pattern.quote(text).replace("*", "\\E.*\\Q"));
    }

    private static Finding note(String name, Location place, String message) {
        Check check = Checks.named(name);
        boolean failing = !name.equals("waiver-unused");
        return Finding.ofFile(
                        check,
                        new Subject(Subject.Kind.FILE, place.file()),
                        failing ? Status.FAIL : Status.MANUAL,
                        check.severity(),
                        message,
                        Optional.empty(),
                        Optional.of(place))
                .withFingerprint(Integer.toHexString((name + message + place.file()).hashCode()));
    }
}
