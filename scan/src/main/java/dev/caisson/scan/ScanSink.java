package dev.caisson.scan;

/// Takes what a scan finds. A scan of a directory calls it from several threads, one at a time.
public interface ScanSink {
    void found(Leak leak);

    /// Something was not read, or not to its end.
    /// @param why without a full stop
    void skipped(String source, String why);
}
