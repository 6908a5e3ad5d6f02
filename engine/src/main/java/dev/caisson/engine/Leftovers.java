package dev.caisson.engine;

import dev.caisson.error.CaissonException;
import dev.caisson.state.State;

/// Removes what killed engines have left: groups, layers on disk, records, names.
public final class Leftovers {
    private Leftovers() {}

    /// Removes it, if there is any; an engine that opens does the same. Nothing is done for a user who may not.
    public static void clear(EngineOptions options) {
        try {
            if (State.hasLeftovers(options.state())) {
                Engine.open(options).close();
            }
        } catch (CaissonException e) {
            System.getLogger(Leftovers.class.getName())
                    .log(System.Logger.Level.DEBUG, "what a killed engine left is not cleared by this process", e);
        }
    }
}
