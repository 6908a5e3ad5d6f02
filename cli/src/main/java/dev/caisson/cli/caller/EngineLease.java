package dev.caisson.cli.caller;

import dev.caisson.engine.Engine;

/// An engine for the time of a command. The process that is one command opens its own; commands of a resident engine
/// share that one. So a command closes what it has started itself.
public record EngineLease(Engine engine, Runnable end) implements AutoCloseable {
    @Override
    public void close() {
        end.run();
    }
}
