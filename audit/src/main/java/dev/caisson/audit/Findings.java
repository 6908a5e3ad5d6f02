package dev.caisson.audit;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/// Makes a report of findings that another room came to: fingerprints, then waivers, then the baseline.
public final class Findings {
    private Findings() {}

    /// The report of these findings.
    ///
    /// @param request tells day, threshold, waivers and baseline; its inputs are not looked at
    /// @throws AuditException if waivers or baseline cannot be read
    public static Report conclude(AuditRequest request, List<String> targets, List<Finding> findings) {
        List<Finding> waived = new Waivers(request.today(), request.waivers(), Set.of()).apply(numbered(findings));
        return Baseline.apply(request, targets, waived);
    }

    /// Subject and check tell a finding of a host again; its message holds values that change from day to day.
    private static List<Finding> numbered(List<Finding> findings) {
        return numbered(
                findings,
                finding -> finding.check().id() + "\n" + finding.subject().kind() + "\n" + finding.subject());
    }

    /// Gives every finding its fingerprint, in the report's order; several of one key are counted.
    /// @param key what tells the finding again from run to run
    static List<Finding> numbered(List<Finding> findings, Function<Finding, String> key) {
        Map<String, Integer> seen = new HashMap<>();
        return findings.stream()
                .sorted()
                .map(finding -> {
                    String text = key.apply(finding);
                    return finding.withFingerprint(digest(text + "\n" + seen.merge(text, 1, Integer::sum)));
                })
                .toList();
    }

    private static String digest(String text) {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(hash, 0, 16);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
