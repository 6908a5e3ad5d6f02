package dev.caisson.scan;

import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A comment on a line that allows the secrets in it: `caisson: allow RULE reason until DATE`, as in container
/// files, or `gitleaks:allow`.
final class Remark {
    private static final Pattern OWN = Pattern.compile(
            "caisson:\\s{0,4}allow\\s{1,4}([a-z0-9-]{1,80})\\s{1,4}(\\S.{0,200}?)\\s{1,4}until\\s{1,4}(\\d{4}-\\d{2}-\\d{2})");
    private static final String OTHER = "gitleaks:allow";
    private static final int REACH = 2048;

    private Remark() {}

    /// Returns the part of a line that may say something, for [#allows]; empty if there is none.
    static String of(Passage passage, int at) {
        byte[] bytes = passage.bytes();
        int from = at;
        while (from > Math.max(0, at - REACH) && bytes[from - 1] != '\n') {
            from--;
        }
        int to = at;
        while (to < Math.min(passage.length(), at + REACH) && bytes[to] != '\n') {
            to++;
        }
        String line = new String(bytes, from, to - from, StandardCharsets.ISO_8859_1);
        int own = line.indexOf("caisson:");
        int other = line.indexOf(OTHER);
        return own >= 0 ? line.substring(own) : other >= 0 ? OTHER : "";
    }

    /// Returns why a finding of the rule is allowed; empty if it is not.
    static String allows(String remark, LeakRule rule, Instant now) {
        if (remark.startsWith(OTHER)) {
            return "its line says " + OTHER;
        }
        Matcher own = OWN.matcher(remark);
        if (!own.lookingAt() || !own.group(1).equals(rule.id())) {
            return remark.contains(OTHER) ? "its line says " + OTHER : "";
        }
        try {
            boolean over = LocalDate.parse(own.group(3)).isBefore(LocalDate.ofInstant(now, ZoneOffset.UTC));
            return over ? "" : own.group(2) + " (until " + own.group(3) + ")";
        } catch (DateTimeException e) {
            return ""; // no such day
        }
    }
}
