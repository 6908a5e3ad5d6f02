package dev.caisson.gate;

import dev.caisson.spec.GateRules;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

/// Chooses the secrets of a request by the rules of their gates.
final class Rules {
    /// Fields by which frameworks take another method or path than those of the request line.
    private static final Set<String> OVERRIDES = Set.of(
            "x-http-method-override",
            "x-http-method",
            "x-method-override",
            "x-original-url",
            "x-original-uri",
            "x-rewrite-url");

    private static final String METHOD_PARAMETER = "_method";
    private static final int LONGEST = 80;

    private Rules() {}

    /// Returns those that the request may have.
    ///
    /// @param credentials of the host that it is for
    /// @throws Refusal if there are none, or if it asks the server to read another method or path
    static List<Credential> choose(List<Credential> credentials, RequestHead request) throws Refusal {
        if (credentials.stream().anyMatch(one -> !one.gate().rules().isAll())) {
            requireNoOverride(request);
        }
        List<Credential> chosen = credentials.stream()
                .filter(one -> allows(one.gate().rules(), request))
                .toList();
        if (chosen.isEmpty()) {
            throw new Refusal(
                    Refusal.FORBIDDEN,
                    "the gate does not take " + shortened(request.method()) + " " + shortened(request.path())
                            + ": it takes "
                            + credentials.stream()
                                    .map(one -> one.gate().rules().sentence())
                                    .collect(Collectors.joining("; ")));
        }
        return chosen;
    }

    private static boolean allows(GateRules rules, RequestHead request) {
        return rules.allowsMethod(request.method()) && rules.allowsPath(request.path());
    }

    private static void requireNoOverride(RequestHead request) throws Refusal {
        boolean field = request.fields().all().stream()
                .anyMatch(one ->
                        OVERRIDES.contains(one.name().toLowerCase(Locale.ROOT).replace('_', '-')));
        boolean parameter = Arrays.stream(request.query().split("[&;]", -1))
                .map(one -> Credential.decoded(one.split("=", 2)[0]))
                .anyMatch(METHOD_PARAMETER::equalsIgnoreCase);
        if (field || parameter) {
            throw new Refusal(
                    Refusal.FORBIDDEN,
                    "the request names another method or address than its own, which a gate with method= or path= does"
                            + " not take: leave that out");
        }
    }

    private static String shortened(String text) {
        return text.length() <= LONGEST ? text : text.substring(0, LONGEST) + "…";
    }
}
