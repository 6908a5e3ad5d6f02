package dev.caisson.gate;

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
    /// Also those that would let the server compress what a gate must look into: messages of gRPC and of Connect.
    private static final Set<String> WRITTEN_ANEW =
            Set.of("host", "accept-encoding", "grpc-accept-encoding", "connect-accept-encoding", WebSocket.EXTENSIONS);

    /// Writes it.
    ///
    /// @return the credentials whose values it has, each once
    Set<Credential> to(HeadWriter head) throws Refusal {
        var put = new LinkedHashSet<Credential>();
        head.begin(request.method(), gate.host() + (gate.port() == Gate.HTTPS ? "" : ":" + gate.port()));
        Optional<Credential> inTarget =
                used.stream().filter(Credential::isInTarget).findFirst();
        if (inTarget.isPresent()) {
            inTarget.get().target(request, head);
        } else {
            head.add(target());
        }
        head.end();
        for (Fields.Field field : request.fields().lasting().toList()) {
            if (!WRITTEN_ANEW.contains(field.name().toLowerCase(Locale.ROOT))
                    && credentials.stream().noneMatch(one -> one.drops(field.name()))) {
                field(field, head, put);
            }
        }
        head.field("Accept-Encoding", "identity");
        for (Credential one : used) {
            if (!(one.gate().place() instanceof Gate.Placeholder)) {
                one.field(head);
                put.add(one);
            }
        }
        head.finish(request);
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

    private void field(Fields.Field field, HeadWriter head, Set<Credential> put) throws Refusal {
        for (Credential one : credentials) {
            if (one.gate().place() instanceof Gate.Placeholder placeholder && field.is(placeholder.header())) {
                if (used.contains(one)) {
                    one.replaced(placeholder, field, head);
                    put.add(one);
                }
                return;
            }
        }
        head.field(field.name(), field.value());
    }
}
