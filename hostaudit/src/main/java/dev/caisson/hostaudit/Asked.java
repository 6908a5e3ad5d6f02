package dev.caisson.hostaudit;

import dev.caisson.audit.AuditException;
import dev.caisson.hostaudit.EngineSockets.EngineSocket;
import dev.caisson.hostaudit.Facts.Gap;
import java.time.Duration;
import java.util.List;

/// An engine that answered, with the connection to ask it further.
record Asked(EngineSocket socket, EngineApi api, EngineFacts facts) implements AutoCloseable {
    /// A user's own engine shall not hold up the audit of the host.
    private static final Duration OF_USER = Duration.ofSeconds(30);

    /// @throws AuditException where no engine answers there
    static Asked of(EngineSocket socket, HostFiles files, ProcessTable table, List<Gap> gaps) {
        EngineApi api;
        try {
            api = new EngineApi(socket.path(), socket.address(), socket.ofUser() ? OF_USER : EngineApi.PATIENCE);
        } catch (AuditException e) {
            socket.close();
            throw e;
        }
        try {
            EngineFacts facts = new EngineCollector(
                            api,
                            socket.path().toString(),
                            ProcessRoot.own(socket.address().toString()),
                            files,
                            table,
                            gaps)
                    .collect();
            return new Asked(socket, api, facts);
        } catch (AuditException e) {
            api.close();
            socket.close();
            throw e;
        }
    }

    @Override
    public void close() {
        api.close();
        socket.close();
    }
}
