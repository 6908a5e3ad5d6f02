package dev.caisson.state;

/// One kind of thing that a container holds outside of its processes, and that has to be given back: a group,
/// a layer, a record, a range of ids. Whoever makes one of it remembers by the container's id what is needed
/// to undo it; what the kernel or a directory has of it is named for the id, so that it can be cleared when
/// nobody remembers.
public interface Holding {
    /// Gives back what a container of this engine holds of it, when its processes are gone; nothing where it holds
    /// none.
    void undo(String id);

    /// Removes what a container of an engine that was killed has left of it.
    default void clear(String id) {}

    /// Removes what is left of it and is in nobody's record.
    default void clearUnrecorded() {}

    /// The same, and `after` is run behind each [#undo].
    default Holding then(Runnable after) {
        Holding first = this;
        return new Holding() {
            @Override
            public void undo(String id) {
                first.undo(id);
                after.run();
            }

            @Override
            public void clear(String id) {
                first.clear(id);
            }

            @Override
            public void clearUnrecorded() {
                first.clearUnrecorded();
            }
        };
    }

    /// The same, but one that cannot be undone keeps none after it from being undone: the next engine finds
    /// it without a record.
    default Holding orLeft(String what) {
        Holding first = this;
        return new Holding() {
            @Override
            public void undo(String id) {
                try {
                    first.undo(id);
                } catch (RuntimeException e) {
                    System.getLogger(Holding.class.getName())
                            .log(System.Logger.Level.WARNING, what + " of " + id + " stays: " + e.getMessage());
                }
            }

            @Override
            public void clear(String id) {
                first.clear(id);
            }

            @Override
            public void clearUnrecorded() {
                first.clearUnrecorded();
            }
        };
    }
}
