package dev.caisson.gate;

import dev.caisson.gate.Credential.Head;
import dev.caisson.spec.Gate;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/// The head of a request as the server gets it: written anew, with the values in it.
///
/// @param credentials of the host, whose places are the gate's alone
/// @param used those that this request may have
record WrittenRequest(RequestHead request, Gate gate, List<Credential> credentials, List<Credential> used) {
    private static final Set<String> WRITTEN_ANEW = Set.of("host", "accept-encoding", WebSocket.EXTENSIONS);

    /// Writes it.
    ///
    /// @return the credentials whose values it has, each once
    Set<Credential> to(Head head) throws Refusal {
        var put = new LinkedHashSet<Credential>();
        Optional<Credential> inTarget =
                used.stream().filter(Credential::isInTarget).findFirst();
        if (inTarget.isPresent()) {
            inTarget.get().requestLine(request, head);
        } else {
            head.line(request.method() + " " + target() + " HTTP/1.1");
        }
        head.line("Host: " + gate.host() + (gate.port() == Gate.HTTPS ? "" : ":" + gate.port()));
        for (Fields.Field field : request.fields().lasting().toList()) {
            if (!WRITTEN_ANEW.contains(field.name().toLowerCase(Locale.ROOT))
                    && credentials.stream().noneMatch(one -> one.drops(field.name()))) {
                field(field, head, put);
            }
        }
        head.line("Accept-Encoding: identity");
        if (request.fields().isChunked()) {
            head.line("Transfer-Encoding: chunked");
        }
        if (request.fields().has("upgrade")) {
            head.line("Connection: Upgrade").line("Upgrade: " + WebSocket.NAME);
        }
        for (Credential one : used) {
            if (!(one.gate().place() instanceof Gate.Placeholder)) {
                one.field(head);
                put.add(one);
            }
        }
        head.line("");
        return put;
    }

    /// Returns the target without what a secret that this request does not get would replace.
    private String target() {
        String target = request.target();
        for (Credential one : credentials) {
            if (one.gate().place() instanceof Gate.Query query) {
                target = Credential.stripped(target, query.name());
            }
        }
        return target;
    }

    private void field(Fields.Field field, Head head, Set<Credential> put) throws Refusal {
        for (Credential one : credentials) {
            if (one.gate().place() instanceof Gate.Placeholder placeholder && field.is(placeholder.header())) {
                if (used.contains(one)) {
                    one.replaced(placeholder, field, head);
                    put.add(one);
                }
                return;
            }
        }
        head.line(field.name() + ": " + field.value());
    }
}
