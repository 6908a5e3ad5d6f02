package dev.caisson.scan;

/// Values that are known to be secrets, such as those of a store, and can be found in bytes. Used by
/// many threads.
@FunctionalInterface
public interface KnownValues {
    /// Knows none.
    KnownValues NONE = (bytes, from, to, hit) -> {};

    /// Takes a place where a value stands.
    @FunctionalInterface
    interface Hit {
        /// Takes a place.
        /// @param name by which reports call the value, such as `db@3`
        /// @param form how it stands there, in words that follow a comma, such as `in base 64`
        /// @param readable if it stands there as it is
        void at(String name, String form, boolean readable, int from, int to);
    }

    /// Finds the values that stand in `bytes` between `from` and `to`. None that it finds is longer
    /// than 8 KiB.
    void search(byte[] bytes, int from, int to, Hit hit);
}
