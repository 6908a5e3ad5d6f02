package dev.caisson.engine;

/// A watch on files of a container; closing it ends it. Once [#close] has returned the listener is not
/// called again, unless it is that which closes.
public interface FileWatch extends AutoCloseable {
    @Override
    void close();
}
