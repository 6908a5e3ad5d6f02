package dev.caisson.hostaudit.checks;

import dev.caisson.hostaudit.facts.EngineFacts.Claims;
import dev.caisson.hostaudit.facts.Numbers;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Releases of engine, containerd and runc with a published hole that leads to the host. The table is of a day; later
/// holes are not in it, and the answer says so.
public final class Releases {
    public static final LocalDate TABLE_OF = LocalDate.of(2025, 11, 20);
    private static final int FRESH_DAYS = 180;

    private record Hole(String program, String from, String fixed, String name) {}

    private static final List<Hole> HOLES = List.of(
            new Hole("runc", "0.0.0", "1.2.8", "CVE-2025-31133"),
            new Hole("runc", "1.3.0", "1.3.3", "CVE-2025-31133"),
            new Hole("containerd", "0.0.0", "1.7.29", "CVE-2024-25621"),
            new Hole("containerd", "2.0.0", "2.0.7", "CVE-2024-25621"),
            new Hole("containerd", "2.1.0", "2.1.5", "CVE-2024-25621"),
            new Hole("dockerd", "0.0.0", "23.0.15", "CVE-2024-41110"),
            new Hole("dockerd", "24.0.0", "25.0.6", "CVE-2024-41110"),
            new Hole("dockerd", "26.0.0", "26.1.5", "CVE-2024-41110"),
            new Hole("dockerd", "27.0.0", "27.1.1", "CVE-2024-41110"));

    private static final Pattern VERSION = Pattern.compile("v?(\\d+)\\.(\\d+)(?:\\.(\\d+))?(.*)");
    /// A distribution's own build may hold fixes that its number does not tell.
    private static final Pattern DISTRIBUTION = Pattern.compile("(?i).*(?:ds|deb|ubuntu|dfsg|\\.el|\\.fc|\\+|~).*");

    private Releases() {}

    static Answer judge(long second, Claims claims) {
        var open = new ArrayList<String>();
        var rebuilt = new ArrayList<String>();
        var versions = new ArrayList<String>();
        add("dockerd", claims.version(), versions, open, rebuilt);
        add("containerd", claims.containerdVersion(), versions, open, rebuilt);
        add("runc", claims.runcVersion(), versions, open, rebuilt);
        long age = second / 86_400 - TABLE_OF.atStartOfDay(ZoneOffset.UTC).toEpochSecond() / 86_400;
        Answer answer;
        if (!open.isEmpty()) {
            answer = Answer.fail(Answer.ENGINE, String.join("; ", open));
        } else if (!rebuilt.isEmpty()) {
            answer = Answer.manual(
                    Answer.ENGINE,
                    String.join("; ", rebuilt)
                            + "; a distribution's build: its security tracker tells whether it is fixed");
        } else if (age > FRESH_DAYS) {
            answer = Answer.manual(
                    Answer.ENGINE,
                    "no hole is known of these releases, but the table of releases is of " + TABLE_OF
                            + ": ask the vendor");
        } else {
            answer = Answer.pass(Answer.ENGINE, "no hole that leads to the host is known of these releases");
        }
        return answer.claim("API /version", String.join(", ", versions));
    }

    private static void add(
            String program, String version, List<String> versions, List<String> open, List<String> rebuilt) {
        Matcher parts = VERSION.matcher(version);
        if (!parts.matches()) {
            return;
        }
        versions.add(program + " " + version);
        long number = Numbers.ofVersion(version);
        HOLES.stream()
                .filter(hole -> hole.program().equals(program)
                        && number >= Numbers.ofVersion(hole.from())
                        && number < Numbers.ofVersion(hole.fixed()))
                .findFirst()
                .ifPresent(hole -> (DISTRIBUTION.matcher(parts.group(4)).matches() ? rebuilt : open)
                        .add(program + " " + version + " has " + hole.name()));
    }
}
