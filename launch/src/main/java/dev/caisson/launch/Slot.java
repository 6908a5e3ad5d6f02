package dev.caisson.launch;

/// A descriptor that a plan names by its place in the request, native/plan.h.
public record Slot(int index) {
    /// The most that a plan may have.
    public static final int LIMIT = 128;

    public Slot {
        if (index < 0 || index >= LIMIT) {
            throw new IllegalArgumentException("slot out of range: " + index);
        }
    }
}
