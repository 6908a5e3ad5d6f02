package dev.caisson.hostaudit.collect;

import dev.caisson.audit.AuditException;
import dev.caisson.hostaudit.engines.EngineApi;
import dev.caisson.hostaudit.engines.EngineApi.Bounds;
import dev.caisson.hostaudit.engines.EngineCollector;
import dev.caisson.hostaudit.engines.EngineSockets.EngineSocket;
import dev.caisson.hostaudit.facts.EngineFacts;
import dev.caisson.hostaudit.facts.Excerpt;
import dev.caisson.hostaudit.facts.Facts.Gap;
import dev.caisson.hostaudit.kernel.HostFiles;
import dev.caisson.hostaudit.kernel.ProcessRoot;
import dev.caisson.hostaudit.kernel.ProcessTable;
import java.util.List;
import java.util.NoSuchElementException;

/// An engine that answered, with the connection to ask it further.
record Asked(EngineSocket socket, EngineApi api, EngineFacts facts) implements AutoCloseable {
    /// @throws AuditException where no engine answers there
    static Asked of(EngineSocket socket, HostFiles files, ProcessTable table, List<Gap> gaps) {
        EngineApi api;
        try {
            api = new EngineApi(socket.path(), socket.address(), socket.ofUser() ? Bounds.OF_USER : Bounds.SYSTEM);
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
        } catch (IndexOutOfBoundsException
                | IllegalArgumentException
                | NoSuchElementException
                | ArithmeticException e) {
            api.close();
            socket.close();
            throw misfit(socket, e);
        } catch (AuditException e) {
            api.close();
            socket.close();
            throw e;
        }
    }

    /// Answers that are JSON, but not what an engine answers.
    static AuditException misfit(EngineSocket socket, RuntimeException problem) {
        return new AuditException(
                AuditException.Code.ENGINE_ANSWER,
                "The engine at " + socket.path() + " gives answers that do not fit together: "
                        + Excerpt.of(String.valueOf(problem.getMessage())) + ".",
                problem);
    }

    @Override
    public void close() {
        api.close();
        socket.close();
    }
}
