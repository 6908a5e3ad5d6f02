package dev.caisson.engine;

/// A watch on files of a container; closing it ends it. Once [#close] has returned the listener is not
/// called again; one that is being called is waited for, no longer than a second.
public interface FileWatch extends AutoCloseable {
    @Override
    void close();
}
