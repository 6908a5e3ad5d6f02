package dev.caisson.audit;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;

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

    /// Subject and check tell a finding of a host again; its message holds values that change from day to day. Several
    /// of one check and subject are counted in their order.
    private static List<Finding> numbered(List<Finding> findings) {
        Map<String, Integer> seen = new HashMap<>();
        return findings.stream()
                .sorted()
                .map(finding -> {
                    String key = finding.check().id() + "\n" + finding.subject().kind() + "\n" + finding.subject();
                    int number = seen.merge(key, 1, Integer::sum);
                    return finding.withFingerprint(digest(key + "\n" + number));
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
