package dev.caisson.state;

import java.util.List;

/// Everything that containers hold, in the order in which it is given back. What comes after a record is found again
/// by nobody, so the record is kept until all before it is gone; a holding that fails keeps the rest for the next
/// engine.
public final class Ledger {
    private final List<Holding> holdings;

    public Ledger(List<Holding> holdings) {
        this.holdings = List.copyOf(holdings);
    }

    /// Gives back all that a container of this engine holds.
    public void undo(String id) {
        holdings.forEach(holding -> holding.undo(id));
    }

    /// Removes all that a container of an engine that was killed has left.
    public void clear(String id) {
        holdings.forEach(holding -> holding.clear(id));
    }

    /// Removes all that is in nobody's record.
    public void clearUnrecorded() {
        holdings.forEach(Holding::clearUnrecorded);
    }
}
