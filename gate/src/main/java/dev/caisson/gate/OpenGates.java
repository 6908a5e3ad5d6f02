package dev.caisson.gate;

import java.util.List;
import java.util.Map;

/// The gates of one container that are open, in this process or in one of their own.
public interface OpenGates extends AutoCloseable {
    /// Puts other values into requests from now on, of open connections too. Answers have neither these nor the
    /// few before, also those that have begun.
    ///
    /// @param next the gates that it was opened with; the values are closed if this fails too
    /// @throws dev.caisson.error.ArgumentException ARGUMENT_INVALID for a value that no request can have
    void replace(List<GateServer.Valued> next);

    /// Returns the ports that are listened on, by the ports that the container sends to.
    Map<Integer, Integer> ports();

    /// Ends all connections and clears the values.
    @Override
    void close();
}
